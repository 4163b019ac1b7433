"""A program started in one step answers in the next; a socket pair and a pipe stay open.

expected: equal
"""
# %% [imports]
import os, socket, subprocess, sys
# %% [step:start]
echo = "import sys\nfor line in sys.stdin: print(line.strip().upper(), flush=True)"
server = subprocess.Popen([sys.executable, "-c", echo], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
left, right = socket.socketpair()
reader, writer = os.pipe()
os.write(writer, b"in the pipe")
# %% [step:talk]
server.stdin.write("hello\n")
server.stdin.flush()
answer = server.stdout.readline().strip()
left.send(b"through")
# %% [step:end]
server.stdin.close()
code = server.wait()
text = right.recv(10)
piped = os.read(reader, 20)
print(answer, code, text, piped)
server.stdout.close()
left.close(), right.close(), os.close(reader), os.close(writer)
del server, left, right, reader, writer
