// What a channel of @supabase/supabase-js does when the server is restarted: it comes back by itself.
import assert from "node:assert/strict";
import test from "node:test";
import { createClient } from "@supabase/supabase-js";
import WebSocket from "ws";

test("a channel comes back after a restart", async () => {
  const client = createClient(process.env.BASE, process.env.KEY, {
    auth: { autoRefreshToken: false, persistSession: false },
    realtime: { transport: WebSocket, reconnectAfterMs: () => 200 },
  });
  const channel = client.channel("room", { config: { broadcast: { self: true } } });
  let came = 0;
  await new Promise((resolve) => {
    channel.on("broadcast", { event: "*" }, ({ payload }) => payload.n === 2 && resolve());
    channel.subscribe((status) => {
      if (status !== "SUBSCRIBED") return;
      came += 1;
      if (came === 1) console.log("joined: restart");
      else channel.send({ type: "broadcast", event: "back", payload: { n: came } });
    });
  });
  assert.equal(came, 2);
  await client.removeAllChannels();
});
