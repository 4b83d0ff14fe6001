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
