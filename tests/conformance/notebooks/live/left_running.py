"""A program, a server in a thread and a timer run on; later steps know only port and list.

expected: equal
"""
# %% [imports]
import http.server, subprocess, sys, threading, time, urllib.request
from pathlib import Path
# %% [step:start]
Path("hello.txt").write_text("hello")
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *values):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
port = server.server_port
# %% [step:ask]
text = urllib.request.urlopen(f"http://127.0.0.1:{port}/hello.txt").read()
# %% [step:check]
print(text)
del port
