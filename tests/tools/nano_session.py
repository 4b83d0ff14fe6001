"""nano_session.py FILE NEW: has nano replace the content of FILE by that of NEW, as somebody at a terminal would."""
import fcntl
import os
import pty
import select
import struct
import sys
import termios

file, new = sys.argv[1:3]
screen = b""


def wait(*texts):
    """Reads the screen until it shows one of these."""
    global screen
    while not any(t in screen for t in texts):
        if not select.select([terminal], [], [], 60)[0]:
            sys.exit("nano shows: %r" % screen[-400:])
        try:
            data = os.read(terminal, 65536)
        except OSError:
            data = b""
        if not data:
            sys.exit("nano ended: %r" % screen[-400:])
        screen += data
    found = screen
    screen = b""
    return found


def keys(text):
    os.write(terminal, text)


pid, terminal = pty.fork()
if pid == 0:
    # Wide enough for a message with a long path.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 400, 0, 0))
    os.environ.update(TERM="vt100", LC_ALL="C")
    os.execlp("nano", "nano", "--ignorercfiles", file)
shown = wait(b"Exit", b"is a directory")
if b"is a directory" in shown:
    os.write(2, b"Is a directory\n")
    os.kill(pid, 9)
    sys.exit(1)
keys(b"\x1b\\")  # to the first line
keys(b"\x1bt")  # cut all that follows
keys(b"\x12")  # insert a file
wait(b"insert")
keys(new.encode() + b"\r")
wait(b"Inserted", b"Read ")
keys(b"\x0f")  # write
wait(b"Write")
keys(b"\r")
shown = wait(b"Wrote", b"Error")
failed = b"Error" in shown
if failed:
    sys.stderr.write(shown.decode(errors="replace"))
keys(b"\x18")  # leave; "n" to what was not written
if failed:
    keys(b"n")
while True:
    try:
        if not os.read(terminal, 65536):
            break
    except OSError:
        break
os.waitpid(pid, 0)
sys.exit(failed)
