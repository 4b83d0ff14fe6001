# The kernel keeps what it read until it is told of a change: nobody may see an old value after the write returned.
load ../lib/cloud

setup_file()
{
	cloud_start
	mkdir images/tiny
	head -c 1M /dev/zero >images/tiny/disk
}
teardown_file() { cloud_stop; }

setup()
{
	cloud_enter
	W=$BATS_TEST_TMPDIR
	I=instances/i$BATS_TEST_NUMBER
	mkdir "$I"
}

@test "a change is seen at once by cat, stat, ls and an open directory" {
	for i in {1..100}; do
		value=$(printf "%0$((RANDOM % 50 + 1))d" "$i")
		echo "$value" >"$I/tags/n"
		read -r is <"$I/tags/n"
		[ "$is" = "$value" ]
		[ "$(stat -c %s "$I/tags/n")" = $((${#value} + 1)) ]
	done
	for i in {1..30}; do
		echo x >"$I/tags/t$i"
		[ -e "$I/tags/t$i" ]
		rm "$I/tags/t$i"
		[ ! -e "$I/tags/t$i" ]
		lists n "$I/tags"
	done
}

@test "what one value changes in another file is seen there" {
	mkdir images/gold
	head -c 1M /dev/zero >images/gold/disk
	echo gold >"$I/image"
	tells '^image gold$' "$I/spec"
	mv images/gold images/silver
	reads silver "$I/image"
	tells '^image silver$' "$I/spec"
	for type in t3.nano t3.small t3.nano t3.large; do
		echo $type >"$I/instance-type"
		tells "^instance-type $type\$" "$I/spec"
		[ "$(stat -c %s "$I/spec")" = "$(cat "$I/spec" | wc -c)" ]
		echo "instance-type t3.micro" >"$I/spec"
		reads t3.micro "$I/instance-type"
	done
}

@test "another process, which waits for nothing but the write, sees it" {
	/usr/bin/python3 - "$I" <<-'END'
		import os, sys
		# Two processes take turns by a pipe: what is written before the token is read after it.
		path = sys.argv[1] + "/tags/turn"
		open(path, "w").write("0\n")
		there, back = os.pipe(), os.pipe()
		if os.fork() == 0:
		    for i in range(300):
		        os.read(there[0], 1)
		        text = open(path).read()
		        if text != "%d\n" % i or os.stat(path).st_size != len(text):
		            os.write(back[1], b"-")
		            os._exit(1)
		        os.write(back[1], b"+")
		    os._exit(0)
		for i in range(300):
		    open(path, "w").write("%d\n" % i)
		    os.write(there[1], b".")
		    assert os.read(back[0], 1) == b"+", i
	END
}

@test "a file that was open before a change shows one value or the other, whole" {
	for values in 'one three' 'three one'; do
		set -- $values
		echo "$1" >"$I/tags/n"
		exec 7<"$I/tags/n"
		echo "$2" >"$I/tags/n"
		reads "$2" "$I/tags/n"
		is=$(cat <&7)
		exec 7<&-
		[ "$is" = "$1" ] || [ "$is" = "$2" ] || fail "neither $1 nor $2: $is"
		reads "$2" "$I/tags/n"
	done
	head -c 10K /etc/services >"$W/long"
	echo short >"$W/short"
	cp "$W/long" "$I/user-data"
	exec 7<"$I/user-data"
	cp "$W/short" "$I/user-data"
	cat <&7 >"$W/is"
	exec 7<&-
	cmp -s "$W/is" "$W/short" || cmp "$W/is" "$W/long"
	cmp "$I/user-data" "$W/short"
}

@test "who reads an old disk to its end does not show it to those who open the new one" {
	mkdir "images/m$BATS_TEST_NUMBER"
	cd "images/m$BATS_TEST_NUMBER"
	head -c 256K /dev/urandom >"$W/old"
	head -c 256K /dev/urandom >"$W/new"
	cp "$W/old" disk
	sleep 0.2
	exec 7<disk
	cp "$W/new" disk
	sleep 0.2
	cmp "$W/old" - <&7
	cmp "$W/new" disk
	exec 7<&-
	cmp "$W/new" disk
}

@test "readers and writers that hammer one resource neither stop nor see half" {
	/usr/bin/python3 - "$I" <<-'END'
		import errno, os, signal, sys, time
		base = sys.argv[1]
		end = time.monotonic() + 3
		signal.alarm(60) # it hangs: the test is over
		def writer(n):
		    while time.monotonic() < end:
		        for c in "abcdef":
		            open(base + "/tags/t%d" % (n % 2), "w").write(c * (ord(c) - 80) + "\n")
		            open(base + "/user-data", "w").write((c * 50 + "\n") * (ord(c) - 90))
		def reader(n):
		    while time.monotonic() < end:
		        for name in os.listdir(base + "/tags"):
		            try:
		                text = open(base + "/tags/" + name).read()
		            except FileNotFoundError:
		                continue
		            except OSError as e: # gone and made again, twice while it was opened
		                assert e.errno == errno.ESTALE and name == "x", e
		                continue
		            assert text in ("", "\n") or (len(set(text.strip())) == 1 and text.endswith("\n")), text
		            assert text == "" or len(text) == ord(text[0]) - 80 + 1 or name == "x", text
		        text = open(base + "/user-data").read()
		        assert len(set(text) - {"\n"}) <= 1 and len(text) % 51 == 0, (len(text), set(text))
		        os.stat(base + "/spec"), os.stat(base)
		def maker(n):
		    while time.monotonic() < end:
		        os.mkdir(base + "-x")
		        os.rename(base + "-x", base + "-y")
		        open(base + "/tags/x", "w").write("p" * 33 + "\n")
		        os.unlink(base + "/tags/x")
		        os.rmdir(base + "-y")
		def walker(n):
		    while time.monotonic() < end:
		        for _ in os.walk(os.path.dirname(base)):
		            pass
		# What is quiet is read through the kernel's cache, and is at its first change cut at a wrong size.
		open(base + "/user-data", "w").write(("a" * 50 + "\n") * 7)
		for name in "tags/t0", "tags/t1", "tags/x":
		    open(base + "/" + name, "w").write("a" * 17 + "\n")
		pids = []
		for n, work in enumerate([writer, writer, reader, reader, reader, maker, walker]):
		    pid = os.fork()
		    if pid == 0:
		        try:
		            work(n)
		        except BaseException as e:
		            print(work.__name__, repr(e)[:500], file=sys.stderr, flush=True)
		            os._exit(1)
		        os._exit(0)
		    pids.append(pid)
		assert all([os.waitpid(pid, 0)[1] == 0 for pid in pids])
	END
}

@test "reading never blocks, whatever happens at the time" {
	echo tiny >"$I/image"
	echo sim:start=300ms >availability-zones/us-east-1a/compute
	echo running >"$I/state"
	timeout 10 grep -r . "$I" >/dev/null
	timeout 10 tar -cf /dev/null "$I"
	reads pending "$I/state" || reads running "$I/state"
	echo running 20 >"$I/wait"
	reads running "$I/state"
	timeout 10 cat "$I/wait" "$I/ctl"
	rmdir "$I"
	soon 10 eval 'echo sim >availability-zones/us-east-1a/compute'
}

@test "a state that changes by itself is seen without a write" {
	echo tiny >"$I/image"
	echo running >"$I/state"
	becomes running "$I/state"
	id=$(cat "$I/instance-id")
	echo poweroff >"$STATE/instances/$id/console.guest"
	becomes stopped "$I/state"
	tells '^Client' "$I/state-reason"
}

@test "where a link leads is seen to change at once" {
	mkdir volumes/v$BATS_TEST_NUMBER security-groups/g$BATS_TEST_NUMBER
	echo 1 >volumes/v$BATS_TEST_NUMBER/size
	soon 10 grep -q available volumes/v$BATS_TEST_NUMBER/state
	ln -s ../../../volumes/v$BATS_TEST_NUMBER "$I/volumes/sdf"
	ln -s ../../../security-groups/g$BATS_TEST_NUMBER "$I/security-groups/"
	id=$(cat "$I/instance-id")
	now=$BATS_TEST_NUMBER
	for to in short "much-longer-than-before-$BATS_TEST_NUMBER" mid; do
		readlink "$I/volumes/sdf" "volumes/v$now/attachment" "$I/security-groups/"* "by-id/$id"
		mv "volumes/v$now" "volumes/v$to"
		mv "security-groups/g$now" "security-groups/g$to"
		mv "$I" "instances/i$to"
		I=instances/i$to
		now=$to
		[ "$(readlink "$I/volumes/sdf")" = "../../../volumes/v$to" ]
		[ "$(readlink "volumes/v$to/attachment")" = "../../instances/i$to" ]
		[ "$(readlink "$I/security-groups/g$to")" = "../../../security-groups/g$to" ]
		[ "$(readlink "by-id/$id")" = "../instances/i$to" ]
		[ "$(stat -c %s "by-id/$id")" = "$(readlink -n "by-id/$id" | wc -c)" ]
	done
}

# has DIRECTORY NAME, lacks DIRECTORY NAME: is it listed?
has() { ls "$1" | grep -qxF "$2" || fail "$1 does not list $2"; }
lacks() { ! ls "$1" | grep -qxF "$2" || fail "$1 lists $2"; }

@test "a listing is seen to change at once, wherever it changes" {
	for n in {1..30}; do
		before=$(ls by-id | wc -l)
		ls "$I/tags" instances volumes >/dev/null
		mkdir "instances/l$n"
		has instances "l$n"
		[ "$(ls by-id | wc -l)" = $((before + 1)) ]
		id=$(cat "instances/l$n/instance-id")
		echo x >"$I/tags/t$n"
		has "$I/tags" "t$n"
		rm "$I/tags/t$n"
		lacks "$I/tags" "t$n"
		rmdir "instances/l$n"
		lacks instances "l$n"
		lacks by-id "$id"
	done
}

@test "a listing is seen to change while others list all the time" {
	pids=
	for n in 1 2; do
		while :; do ls instances by-id "$I/tags"; done >/dev/null 2>&1 3>&- &
		pids+=" $!"
	done
	for n in {1..50}; do
		mkdir "instances/l$n"
		has instances "l$n"
		echo x >"$I/tags/t$n"
		has "$I/tags" "t$n"
		rm "$I/tags/t$n"
		rmdir "instances/l$n"
		lacks "$I/tags" "t$n"
		lacks instances "l$n"
	done
	# shellcheck disable=SC2086 # several
	kill $pids
}

@test "what is listed to one user alone, or for a moment, stays so" {
	ls "$I" >/dev/null
	/usr/bin/python3 - "$I" <<-'END'
		import os, sys
		d = sys.argv[1]
		os.open(d + "/sedAbCdE1", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
		for _ in range(3):
		    assert "sedAbCdE1" in os.listdir(d)
		    pid = os.fork()
		    if pid == 0:
		        os.setgid(65534), os.setuid(65534)
		        os._exit("sedAbCdE1" in os.listdir(d))
		    assert os.waitpid(pid, 0)[1] == 0
		os.unlink(d + "/sedAbCdE1")
		assert "sedAbCdE1" not in os.listdir(d)
	END
	rm "$I/image"
	lacks "$I" image
	soon 20 has "$I" image
}

@test "who waits keeps nobody from waiting, reading or chmod" {
	ls -l "$I" >/dev/null
	cat "$I/wait"
	pids=
	for n in {1..5}; do
		timeout 60 bash -c "echo running > $I/wait" 3>&- &
		pids+=" $!"
	done
	sleep 0.3
	timeout 10 chmod 600 "$I/wait"
	timeout 10 cat "$I/wait"
	timeout 10 ls -l "$I" >/dev/null
	echo tiny >"$I/image"
	echo running >"$I/state"
	for pid in $pids; do wait "$pid"; done
}
