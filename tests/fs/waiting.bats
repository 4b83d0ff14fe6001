# wait, poll(2), and interrupts: who waits holds up nobody, is woken, and can be ended at any time.
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
	echo tiny >"$I/image"
}

# A process of this number writes to wait and sleeps there.
waits()
{
	[ "$(cat "/proc/$1/wchan")" = request_wait_answer ]
}

# within SECONDS COMMAND…: it ends, with whatever status, before that.
within()
{
	local start=$SECONDS limit=$1

	shift
	"$@" || true
	[ $((SECONDS - start)) -le "$limit" ] || fail "took $((SECONDS - start)) s: $*"
}

@test "wait returns when the state is reached, at once when it is there" {
	(sleep 0.3 && echo running >"$I/state") 3>&- &
	timeout 20 bash -c "echo running > $I/wait"
	reads running "$I/state"
	wait
	timeout 10 bash -c "echo running 5 > $I/wait"
	refuses EINVAL "echo dancing > $I/wait"
	[ ! -s "$I/wait" ]
}

@test "timeout, SIGTERM, SIGINT and SIGKILL end a waiting process promptly" {
	within 5 timeout 1 bash -c "echo running > $I/wait"
	for signal in TERM INT KILL; do
		/usr/bin/python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.write(os.open(sys.argv[1], os.O_WRONLY), b"running\n")' "$I/wait" 3>&- &
		pid=$!
		soon 5 waits $pid
		kill -$signal $pid
		within 3 wait $pid
		[ ! -e "/proc/$pid" ]
	done
	reads draft "$I/state"
}

@test "a signal that a program handles interrupts the wait: EINTR, and it may go on" {
	timeout 20 /usr/bin/python3 - "$I" <<-'END'
		import errno, os, signal, sys, threading
		class Alarm(Exception): pass
		def handler(*_): raise Alarm
		signal.signal(signal.SIGALRM, handler)
		fd = os.open(sys.argv[1] + "/wait", os.O_WRONLY)
		for _ in range(3):
		    signal.setitimer(signal.ITIMER_REAL, 0.2)
		    try:
		        os.write(fd, b"running\n")
		        sys.exit("it did not wait")
		    except Alarm:
		        pass
		threading.Timer(0.2, lambda: open(sys.argv[1] + "/state", "w").write("running\n")).start()
		assert os.write(fd, b"running\n") == 8
		assert open(sys.argv[1] + "/state").read() == "running\n"
	END
}

@test "a hundred who wait are in nobody's way, nor in each other's" {
	pids=()
	for _ in {1..100}; do
		bash -c "exec 2>/dev/null; echo running > $I/wait" 3>&- &
		pids+=($!)
	done
	soon 10 waits "${pids[99]}"
	timeout 10 cat "$I/state" "$I/spec" >/dev/null
	timeout 10 ls -lR . >/dev/null
	timeout 10 mkdir "$I-2"
	kill -9 "${pids[@]:0:50}"
	timeout 10 bash -c "echo running > $I/state"
	for pid in "${pids[@]:50}"; do
		wait "$pid" || fail "one who waited failed"
	done
	wait || true
}

@test "a wait for what cannot come any more fails, and says why" {
	(sleep 0.3 && rmdir "$I") 3>&- &
	run timeout 20 bash -c "echo running > $I/wait"
	[ "$status" != 0 ] && [ "$status" != 124 ]
	wait
}

@test "unmounting ends those who wait" {
	bash -c "echo running > $I/wait" 2>"$W/said" 3>&- &
	pid=$!
	soon 5 waits $pid
	kill -TERM "$(cloud_pid)"
	within 10 wait $pid
	cd /
	cloud_await_exit
	cloud_start
}

@test "poll wakes when a state changes; not before" {
	timeout 30 /usr/bin/python3 - "$I" "$STATE" <<-'END'
		import os, select, sys, threading, time
		base, state = sys.argv[1:3]
		f = open(base + "/state")
		f.read()
		p = select.poll()
		p.register(f, select.POLLPRI | select.POLLERR)
		while p.poll(0): # what came before
		    pass
		assert p.poll(300) == [], "nothing changed yet"
		threading.Timer(0.2, lambda: open(base + "/state", "w").write("running\n")).start()
		assert p.poll(10000), "it was not woken"
		end = time.monotonic() + 10
		while open(base + "/state").read() != "running\n":
		    assert time.monotonic() < end
		    p.poll(1000)
		# What happens by itself wakes, too.
		while p.poll(0):
		    pass
		guest = state + "/instances/" + open(base + "/instance-id").read().strip() + "/console.guest"
		open(guest, "w").write("poweroff\n")
		end = time.monotonic() + 10
		while open(base + "/state").read() != "stopped\n":
		    assert time.monotonic() < end
		    p.poll(1000)
	END
}

@test "epoll, select, and poll of many files by many processes" {
	timeout 30 /usr/bin/python3 - "$I" <<-'END'
		import os, select, sys, time
		base = sys.argv[1]
		for n in range(8):
		    open(base + "/tags/t%d" % n, "w").write("0\n")
		ready, go = os.pipe()
		pids = []
		for n in range(8):
		    pid = os.fork()
		    if pid == 0:
		        f = open(base + "/tags/t%d" % n)
		        e = select.epoll()
		        e.register(f.fileno(), select.EPOLLPRI | select.EPOLLERR)
		        while e.poll(0):
		            pass
		        os.write(go, b".")
		        os._exit(0 if e.poll(15) else 1)
		    pids.append(pid)
		got = b""
		while len(got) < 8:
		    got += os.read(ready, 8)
		time.sleep(0.2)
		for n in range(8):
		    open(base + "/tags/t%d" % n, "w").write("1\n")
		assert all([os.waitpid(pid, 0)[1] == 0 for pid in pids])
		f = open(base + "/instance-type")
		assert select.select([f], [], [], 5)[0], "what can be read is ready"
	END
}

@test "events is followed by poll" {
	timeout 30 /usr/bin/python3 - "$CLOUD" "$I" <<-'END'
		import select, sys, threading
		f = open(sys.argv[1] + "/events")
		p = select.poll()
		p.register(f, select.POLLPRI | select.POLLERR)
		while p.poll(0):
		    pass
		threading.Timer(0.2, lambda: open(sys.argv[2] + "/tags/new", "w").write("x\n")).start()
		assert p.poll(10000)
		assert "/tags/new" in open(sys.argv[1] + "/events").read()
	END
}

# Each line is 500 bytes, so that the log forgets its older half; what each reader prints must have every
# value once.
@test "events is followed by tail -f and by others, several at a time, and across what it forgets" {
	long=$(printf '%0240d' 0)
	echo "begin-$long" >"$I/tags/log"
	tail -n +1 -s 0.2 -f "$CLOUD/events" >"$W/tail" 2>/dev/null 3>&- &
	pids=($!)
	tail -n +1 -s 0.1 -f "$CLOUD/events" >"$W/quick" 2>/dev/null 3>&- &
	pids+=($!)
	/usr/bin/python3 -u - "$CLOUD/events" >"$W/lines" 3>&- <<-'END' &
		import sys, time
		with open(sys.argv[1]) as f:
		    while True:
		        line = f.readline()
		        if line: print(line, end="")
		        else: time.sleep(0.05)
	END
	pids+=($!)
	for reader in tail quick lines; do
		soon 20 grep -q "$I/tags/log made" "$W/$reader"
	done
	# In steps that each reader keeps up with.
	for ((i = 1; i <= 150; i++)); do
		echo "v$i-$long" >"$I/tags/log"
		((i % 50)) || for reader in tail quick lines; do soon 30 grep -q -- "-> v$i-" "$W/$reader"; done
	done
	kill "${pids[@]}"
	wait || true
	for reader in tail quick lines; do
		for ((i = 1; i <= 150; i++)); do echo "v$i"; done |
			diff - <(sed -n 's/.*tags\/log .* -> \(v[0-9]*\)-.*/\1/p' "$W/$reader")
	done
	# Who comes anew sees the last ones, and no more than that.
	tells ' -> v150-' "$CLOUD/events"
	lacks ' -> v1-' "$CLOUD/events"
}

# Lines of 600 bytes: 400 of them make the log forget its older half six times, at another size each time.
@test "tail -f keeps up however often events forgets, and its size only grows" {
	long=$(printf '%0250d' 0)
	tail -n 0 -s 0.1 -f "$CLOUD/events" >"$W/tail" 2>"$W/said" 3>&- &
	pids=($!)
	tail -n 1 -s 0.1 -F "$CLOUD/events" >"$W/named" 2>"$W/named-said" 3>&- &
	pids+=($!)
	/usr/bin/python3 -u - "$CLOUD/events" >"$W/sizes" 3>&- <<-'END' &
		import os, sys, time
		f = open(sys.argv[1], "rb", buffering=0)
		f.read(1 << 20)
		while True:
		    at, size = f.tell(), os.fstat(f.fileno()).st_size
		    assert size >= at, (at, size)
		    got = f.read(size - at)
		    assert len(got) == size - at, (len(got), at, size)
		    print(size)
		    time.sleep(0.01)
	END
	pids+=($!)
	for reader in tail named; do
		soon 30 eval 'echo "begin-$RANDOM" >"$I/tags/log"; grep -q begin- "$W/$reader"'
	done
	for ((i = 1; i <= 400; i++)); do
		echo "v$i-$long" >"$I/tags/log"
		((i % 40)) || for reader in tail named; do soon 30 grep -q -- " -> v$i-" "$W/$reader"; done
	done
	kill "${pids[@]}"
	wait || true
	for reader in tail named; do
		for ((i = 1; i <= 400; i++)); do echo "v$i"; done |
			diff - <(sed -n 's/.*tags\/log .* -> \(v[0-9]*\)-.*/\1/p' "$W/$reader")
	done
	[ ! -s "$W/said" ] && [ ! -s "$W/named-said" ]
	sort -nc "$W/sizes"
	[ "$(tail -n 1 "$W/sizes")" -gt 200000 ]
	# To who comes anew it is as long as it reads.
	[ "$(stat -c %s "$CLOUD/events")" = "$(cat "$CLOUD/events" | wc -c)" ]
	[ "$(wc -c <"$CLOUD/events")" -lt 65600 ]
	[ "$(tac "$CLOUD/events" | grep -c -- ' -> v[0-9]*-')" = "$(grep -c -- ' -> v[0-9]*-' "$CLOUD/events")" ]
}

# What find -newer would not find is what changed and has an older time than the change.
@test "find -newer finds every file and directory that shows something else" {
	mkdir security-groups/newer vpcs/newer volumes/newer addresses/newer
	echo 10.9.0.0/16 >vpcs/newer/cidr-block
	mkdir vpcs/newer/subnets/a vpcs/newer/route-tables/t
	echo 10.9.1.0/24 >vpcs/newer/subnets/a/cidr-block
	timeout 120 /usr/bin/python3 - . "$I" <<-'END'
		import os, subprocess, sys, time
		root, i = sys.argv[1:]
		def look():
		    seen = {}
		    for base, dirs, files in os.walk(root):
		        if base.endswith("/by-id"):
		            del dirs[:]
		            continue
		        seen[base] = sorted(dirs + files), os.stat(base).st_mtime_ns
		        for path in (os.path.join(base, name) for name in files):
		            if os.path.islink(path) or path.endswith((".png", "/disk", "/capacity", "/metrics")):
		                continue
		            try:
		                seen[path] = open(path, "rb").read(), os.stat(path).st_mtime_ns
		            except FileNotFoundError:
		                pass
		    return seen
		before, steps = look(), 0
		for change in """
		    echo t3.small > $I/instance-type
		    ln -s ../../../security-groups/newer $I/security-groups/
		    mv security-groups/newer security-groups/fresh
		    mv images/tiny images/small; mv images/small images/little
		    echo running > $I/state; echo running 20 > $I/wait
		    echo t9.huge > $I/instance-type; true
		    echo ${I##*/} > addresses/newer/instance
		    mv addresses/newer addresses/fresh
		    rm $I/security-groups/fresh
		    echo t > vpcs/newer/subnets/a/route-table
		    mv vpcs/newer vpcs/fresh
		    echo 10.8.0.0/16 > vpcs/fresh/cidr-blocks
		    echo prod > $I/tags/env
		    rm $I/tags/env
		    mv images/little images/tiny
		""".splitlines():
		    start = time.time_ns() - 20_000_000 # the kernel's clock of files has ticks
		    subprocess.run(["bash", "-c", change], cwd=root, env={**os.environ, "I": i}, check=True, stderr=subprocess.DEVNULL)
		    after = look()
		    for path, (shows, mtime) in after.items():
		        # A reference and spec have the time of who wrote them.
		        if os.path.isfile(path) and os.stat(path).st_mode & 0o222 and not change.split(";")[0].endswith("/" + os.path.basename(path)):
		            continue
		        if path in before and before[path][0] != shows:
		            steps += 1
		            assert mtime >= start, (change, path)
		    before = after
		assert steps > 20, steps
	END
}
