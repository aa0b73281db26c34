"""`python -m dynaspark_core doctor`: asks a service and its model in steps, and tells what works.

`definition`, `judge`, `home`, `shop` and `questions` are values and verdicts without I/O: what is asked, with which
tools, and what is right. `running` runs a tool loop. `counted` is a client that counts its requests. `service` and
`scores` are the steps, `report` is what they become, and `command` is the command line.
"""
