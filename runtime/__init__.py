"""The actor kernel: no HTTP, no SQL, no tenants; standard library only.

``docs/runtime.md`` explains it; in short::

    @dataclass(frozen=True, slots=True)
    class Reload(Request[Outcome]):            # serial: through the mailbox, one at a time
        digest: str

    @dataclass(frozen=True, slots=True)
    class Call(Interleaved[Result]):           # interleaved: in the caller's task, many at a time
        operation: str

    class TenantActor(Actor):
        refusals = (ProblemError,)             # answers, not failures

        async def pre_start(self) -> None:
            self._lease = Lease(self.ref.path, await build_generation())

        async def serve(self, call: Call) -> Result:
            with self._lease.acquire() as generation:
                return await operate(generation, call)

        async def handle(self, message: Reload) -> Outcome:
            old = self._lease.swap(await build_generation())
            self.spawn(close_when_drained(old))
            return Outcome(...)

    class Directory(Supervisor):
        def __init__(self) -> None:
            super().__init__(restarts=RestartPolicy(limit=5, window=30.0))    # then parked and probed

        async def handle(self, message: SourceChanged) -> None:
            self.start_child(ChildSpec(message.slug, make_tenant, lazy=True, passivate_after=600.0))

    system = ActorSystem(ChildSpec("root", lambda: Supervisor([ChildSpec("directory", Directory)])))
    await system.start()
    result = await ref.call(Call("list"))          # the gateway keeps ActorRefs; they outlive incarnations
    outcome = await ref.ask(Reload("..."), timeout=30.0)
"""
