"""A worker's end of the channel: requests and answers are lines on a socket, which is standard input. To be imported
first: from then on the process ends with the driver, beyond whose interruption it would otherwise live on, stopped."""
import ctypes
import socket

PR_SET_PDEATHSIG, SIGKILL = 1, 9
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)


def serve(start):
    """What a worker does: `start()` gives a greeting and an object whose methods answer requests of their names, until
    the other end is gone. Failures get "error TEXT". The exit status."""
    channel = socket.socket(fileno=0)
    lines = channel.makefile("r")

    def send(line):
        channel.sendall((line.replace("\n", " ") + "\n").encode())

    try:
        greeting, worker = start()
    except Exception as error:
        send(f"error {error}")
        return 1
    send(greeting)
    for line in lines:
        verb, *arguments = line.split()
        try:
            send(getattr(worker, verb)(*arguments))
        except Exception as error:
            send(f"error {verb}: {error}")
    return 0
