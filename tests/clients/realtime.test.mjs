// What @supabase/supabase-js does with channels against a running tenant.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { createClient } from "@supabase/supabase-js";
import WebSocket from "ws";

const { BASE, KEY } = process.env;
const password = "correct horse battery 9";

const clients = [];
after(() => Promise.all(clients.map((each) => each.removeAllChannels())));

function client(name) {
  clients.push(made(name));
  return clients.at(-1);
}

function made(name) {
  return createClient(BASE, KEY, {
    auth: { storageKey: name, autoRefreshToken: false, persistSession: false, detectSessionInUrl: false },
    realtime: { transport: WebSocket },
  });
}

async function member(name) {
  const mine = client(name);
  const { data, error } = await mine.auth.signUp({ email: `${name}@example.com`, password });
  assert.equal(error, null);
  assert.ok(data.session, "signed in");
  return mine;
}

function joined(channel) {
  return new Promise((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (status === "SUBSCRIBED") resolve();
      else if (status !== "CLOSED") reject(error ?? new Error(status));
    });
  });
}

// what a listener was told, one after another
function heard() {
  const waiting = [];
  const found = [];
  return {
    take(value) {
      if (waiting.length) waiting.shift()(value);
      else found.push(value);
    },
    next() {
      return found.length ? Promise.resolve(found.shift()) : new Promise((resolve) => waiting.push(resolve));
    },
  };
}

test("changes of rows, with the caller's rules", async () => {
  const ann = await member("ann");
  const bob = await member("bob");
  const [all, inserts, updates] = [heard(), heard(), heard()];
  const channel = ann
    .channel("notes")
    .on("postgres_changes", { event: "*", schema: "public", table: "notes" }, all.take)
    .on("postgres_changes", { event: "INSERT", schema: "public", table: "notes", filter: "text=eq.wanted" }, inserts.take)
    .on("postgres_changes", { event: "UPDATE", schema: "public", table: "notes" }, updates.take);
  await joined(channel);
  assert.equal((await bob.from("notes").insert({ text: "wanted" })).error, null);
  const { data: made, error } = await ann.from("notes").insert([{ text: "other" }, { text: "wanted" }]).select();
  assert.equal(error, null);
  const first = await all.next();
  assert.equal(first.eventType, "INSERT");
  assert.equal(first.schema, "public");
  assert.equal(first.table, "notes");
  assert.deepEqual(first.old, {});
  assert.equal(first.errors, null);
  assert.ok(!Number.isNaN(Date.parse(first.commit_timestamp)));
  assert.deepEqual(first.new, made[0]);
  assert.deepEqual((await all.next()).new, made[1]);
  assert.deepEqual((await inserts.next()).new, made[1]);
  await ann.from("notes").update({ text: "changed" }).eq("id", made[0].id);
  const update = await updates.next();
  assert.equal(update.new.text, "changed");
  assert.deepEqual(update.old, { id: made[0].id });
  assert.equal((await all.next()).eventType, "UPDATE");
  await ann.from("notes").delete().eq("id", made[0].id);
  const gone = await all.next();
  assert.equal(gone.eventType, "DELETE");
  assert.deepEqual(gone.old, { id: made[0].id });
  assert.equal(await ann.removeChannel(channel), "ok");
});

test("a table one may not read", async () => {
  const nobody = client("nobody");
  const channel = nobody
    .channel("refused")
    .on("postgres_changes", { event: "*", schema: "public", table: "notes" }, () => {});
  await assert.rejects(joined(channel), /permission denied/);
});

test("broadcast, with acknowledgement, bytes and without a websocket", async () => {
  const [one, two] = [client("one"), client("two")];
  const [mine, theirs] = [heard(), heard()];
  const first = one.channel("room", { config: { broadcast: { self: true, ack: true } } });
  const second = two.channel("room");
  first.on("broadcast", { event: "hello" }, mine.take);
  second.on("broadcast", { event: "*" }, theirs.take);
  await Promise.all([joined(first), joined(second)]);
  assert.equal(await first.send({ type: "broadcast", event: "hello", payload: { n: 1 } }), "ok");
  assert.deepEqual((await mine.next()).payload, { n: 1 });
  assert.deepEqual((await theirs.next()).payload, { n: 1 });
  await first.send({ type: "broadcast", event: "bytes", payload: new Uint8Array([1, 2, 3]).buffer });
  assert.deepEqual([...new Uint8Array((await theirs.next()).payload)], [1, 2, 3]);
  const outside = client("outside");
  assert.deepEqual(await outside.channel("room").httpSend("posted", { n: 2 }), { success: true });
  const posted = await theirs.next();
  assert.equal(posted.event, "posted");
  assert.deepEqual(posted.payload, { n: 2 });
});

test("presence", async () => {
  const [one, two] = [client("p1"), client("p2")];
  const [joins, leaves, syncs] = [heard(), heard(), heard()];
  const first = one.channel("desk", { config: { presence: { key: "ann" } } });
  const second = two.channel("desk", { config: { presence: { key: "bob" } } });
  first.on("presence", { event: "join" }, joins.take).on("presence", { event: "leave" }, leaves.take);
  second.on("presence", { event: "sync" }, syncs.take);
  await joined(first);
  assert.equal(await first.track({ mood: "fine" }), "ok");
  assert.equal((await joins.next()).key, "ann");
  await joined(second);
  await syncs.next();
  assert.equal(second.presenceState().ann[0].mood, "fine");
  await second.track({ mood: "busy" });
  const came = await joins.next();
  assert.equal(came.key, "bob");
  assert.equal(came.newPresences[0].mood, "busy");
  await second.untrack();
  assert.equal((await leaves.next()).key, "bob");
});

test("a private channel is for who is signed in; tokens are renewed", async () => {
  const eve = client("eve");
  await assert.rejects(joined(eve.channel("vault", { config: { private: true } })), /Unauthorized/);
  const cat = await member("cat");
  const channel = cat.channel("vault", { config: { private: true, broadcast: { self: true } } });
  const said = heard();
  channel.on("broadcast", { event: "*" }, said.take);
  await joined(channel);
  const { error } = await cat.auth.refreshSession();
  assert.equal(error, null);
  await cat.realtime.setAuth();
  await channel.send({ type: "broadcast", event: "still", payload: {} });
  assert.equal((await said.next()).event, "still");
});
