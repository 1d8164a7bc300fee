"""What runs inside the processes of Python functions; it imports nothing but the standard library.

``zygote`` is started once and forks a process per tenant, which ``confine`` shuts in before ``serve`` loads
the tenant's code.
"""
