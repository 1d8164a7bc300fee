// What @supabase/postgrest-js does against a running tenant: node client.test.mjs BASE TOKEN
import assert from "node:assert/strict";
import test from "node:test";
import { PostgrestClient } from "@supabase/postgrest-js";

const [base, token] = [process.env.BASE, process.env.TOKEN];
const client = new PostgrestClient(`${base}/rest/v1`, {
  headers: { apikey: token, Authorization: `Bearer ${token}`, "x-client-info": "supabase-js/2.109.0" },
});

test("insert, select, update, delete", async () => {
  const made = await client.from("customers").insert({ name: "js one", region: "US" }).select().single();
  assert.equal(made.error, null);
  assert.equal(made.status, 201);
  assert.equal(made.data.region, "US");
  const read = await client.from("customers").select("name,region").eq("id", made.data.id);
  assert.deepEqual(read.data, [{ name: "js one", region: "US" }]);
  const changed = await client.from("customers").update({ name: "js two" }).eq("id", made.data.id).select("name");
  assert.deepEqual(changed.data, [{ name: "js two" }]);
  const gone = await client.from("customers").delete().eq("id", made.data.id);
  assert.equal(gone.status, 204);
  assert.equal((await client.from("customers").select().eq("id", made.data.id)).data.length, 0);
});

test("bulk insert names its columns; upsert merges", async () => {
  const made = await client.from("customers").insert([{ name: "js b1", code: "b1" }, { name: "js b2" }]).select("name,code");
  assert.deepEqual(made.data, [{ name: "js b1", code: "b1" }, { name: "js b2", code: null }]);
  const merged = await client.from("customers").upsert({ name: "js b1 again", code: "b1" }, { onConflict: "code" }).select("name");
  assert.deepEqual(merged.data, [{ name: "js b1 again" }]);
  const ignored = await client.from("customers").upsert({ name: "x", code: "b1" }, { onConflict: "code", ignoreDuplicates: true }).select();
  assert.deepEqual(ignored.data, []);
});

test("filters, order, ranges and counts", async () => {
  await client.from("customers").insert([1, 2, 3, 4].map((n) => ({ name: `js page ${n}` })));
  const page = await client.from("customers").select("name", { count: "exact" }).like("name", "js page%").order("name", { ascending: false }).range(1, 2);
  assert.equal(page.count, 4);
  assert.deepEqual(page.data.map((row) => row.name), ["js page 3", "js page 2"]);
  const either = await client.from("customers").select("name").or("name.eq.js page 1,name.eq.js page 4").order("name");
  assert.equal(either.data.length, 2);
  const listed = await client.from("customers").select("name").in("name", ["js page 1", 'a, one (two)', "js page 2"]);
  assert.equal(listed.data.length, 2);
  const none = await client.from("customers").select("*", { count: "exact", head: true }).ilike("name", "JS PAGE%");
  assert.equal(none.count, 4);
  assert.equal(none.data, null);
});

test("long lists in a filter", async () => {
  const ids = Array.from({ length: 300 }, (_, n) => `0197c0de-0000-7000-8000-${String(n).padStart(12, "0")}`);
  const answer = await client.from("customers").select("id").in("id", ids);
  assert.equal(answer.error, null);
  assert.deepEqual(answer.data, []);
});

test("embedding in both directions", async () => {
  const parent = (await client.from("customers").insert({ name: "js parent" }).select().single()).data;
  await client.from("orders").insert([{ customer_id: parent.id, net: 1.5 }, { customer_id: parent.id, net: 2.5 }]);
  const down = await client.from("customers").select("name, orders(net)").eq("id", parent.id).order("net", { referencedTable: "orders" }).single();
  assert.deepEqual(down.data, { name: "js parent", orders: [{ net: 1.5 }, { net: 2.5 }] });
  const up = await client.from("orders").select("net, customer:customers!inner(name)").eq("customer.name", "js parent").gt("net", 2);
  assert.deepEqual(up.data, [{ net: 2.5, customer: { name: "js parent" } }]);
});

test("single and maybeSingle", async () => {
  const missing = await client.from("customers").select().eq("name", "js nobody").single();
  assert.equal(missing.error.code, "PGRST116");
  assert.equal(missing.status, 406);
  const perhaps = await client.from("customers").select().eq("name", "js nobody").maybeSingle();
  assert.equal(perhaps.error, null);
  assert.equal(perhaps.data, null);
});

test("errors arrive whole", async () => {
  const table = await client.from("nothing").select();
  assert.equal(table.error.code, "PGRST205");
  assert.equal(table.status, 404);
  const value = await client.from("customers").insert({ name: 5 });
  assert.equal(value.status, 422);
  assert.match(value.error.message, /name/);
  const taken = await client.from("customers").insert([{ name: "a", email: "t@example.com" }, { name: "b", email: "t@example.com" }]);
  assert.equal(taken.error.code, "23505");
  const call = await client.rpc("nothing", { a: 1 });
  assert.equal(call.error.code, "PGRST202");
});

test("csv, dry runs and limits on what a write may touch", async () => {
  const csv = await client.from("customers").select("name").eq("name", "js parent").csv();
  assert.equal(csv.data, "name\njs parent\n");
  const dry = await client.from("customers").insert({ name: "js dry" }).rollback().select();
  assert.equal(dry.data[0].name, "js dry");
  assert.equal((await client.from("customers").select().eq("name", "js dry")).data.length, 0);
  const many = await client.from("customers").delete().like("name", "js page%").maxAffected(1);
  assert.equal(many.error.code, "PGRST124");
});

test("a profile of its own", async () => {
  const answer = await client.schema("public").from("customers").select("name").limit(1);
  assert.equal(answer.error, null);
  const other = await client.schema("secret").from("customers").select("name");
  assert.equal(other.error.code, "PGRST106");
});
