// What @supabase/supabase-js does against a running tenant, signing in and data together.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { createClient } from "@supabase/supabase-js";

const { BASE, KEY, MAIL } = process.env;
const password = "correct horse battery 9";

function client(storageKey) {
  const memory = new Map();
  const storage = {
    getItem: (name) => memory.get(name) ?? null,
    setItem: (name, value) => void memory.set(name, value),
    removeItem: (name) => void memory.delete(name),
  };
  return createClient(BASE, KEY, {
    auth: { flowType: "pkce", storageKey, storage, autoRefreshToken: false, persistSession: true, detectSessionInUrl: false },
    realtime: { transport: class {} },
  });
}

// the newest mail to an address, as the person who gets it reads it
async function mailTo(address, already = 0) {
  for (let tries = 0; tries < 100; tries++) {
    const files = fs.existsSync(MAIL) ? fs.readdirSync(MAIL).filter((name) => name.endsWith(".eml")).sort() : [];
    const mine = files
      .map((name) => fs.readFileSync(path.join(MAIL, name), "utf8").replace(/=\r?\n/g, "").replace(/=3D/g, "="))
      .filter((text) => text.toLowerCase().includes(`to: ${address}`));
    if (mine.length > already) return mine.at(-1);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no mail to ${address}`);
}

const codeOf = (mail) => mail.match(/(?<![0-9a-fA-F#-])(\d{6})(?![0-9a-fA-F-])/)[1];

async function member(name) {
  const supabase = client(`sb-${name}`);
  const email = `${name}@example.com`;
  const made = await supabase.auth.signUp({ email, password, options: { data: { name } } });
  assert.equal(made.error, null, JSON.stringify(made.error));
  assert.equal(made.data.session, null, "an address that nobody proved gives no session");
  const before = await supabase.auth.signInWithPassword({ email, password });
  assert.equal(before.error?.code, "email_not_confirmed");
  const proven = await supabase.auth.verifyOtp({ email, token: codeOf(await mailTo(email)), type: "signup" });
  assert.equal(proven.error, null, JSON.stringify(proven.error));
  return { supabase, email, user: proven.data.user };
}

let ann, bob;
test("sign up, prove the address, sign in", async () => {
  ann = await member("ann");
  bob = await member("bob");
  const again = await ann.supabase.auth.signInWithPassword({ email: ann.email, password });
  assert.equal(again.error, null);
  assert.equal(again.data.user.email, ann.email);
  assert.equal(again.data.user.user_metadata.name, "ann");
  assert.ok(again.data.session.access_token && again.data.session.refresh_token && again.data.session.expires_in > 0);
  const wrong = await client("x").auth.signInWithPassword({ email: ann.email, password: "not this one 1" });
  assert.equal(wrong.error.code, "invalid_credentials");
  assert.equal(wrong.error.status, 400);
});

test("read my own rows, be refused others'", async () => {
  const mine = await ann.supabase.from("notes").insert({ text: "ann's" }).select().single();
  assert.equal(mine.error, null, JSON.stringify(mine.error));
  assert.equal(mine.data.owner_id, ann.user.id);
  assert.equal((await bob.supabase.from("notes").insert({ text: "bob's" })).error, null);
  assert.deepEqual((await ann.supabase.from("notes").select("text")).data, [{ text: "ann's" }]);
  assert.deepEqual((await bob.supabase.from("notes").select("text")).data, [{ text: "bob's" }]);
  const foreign = await bob.supabase.from("notes").update({ text: "taken" }).eq("id", mine.data.id).select();
  assert.deepEqual(foreign.data ?? [], []);
  assert.equal((await ann.supabase.from("notes").select("text").single()).data.text, "ann's");
  const forged = await bob.supabase.from("notes").insert({ text: "x", owner_id: ann.user.id });
  assert.ok(forged.error, "nobody writes in another's name");
  const nobody = await client("n").from("notes").select("text");
  assert.ok(nobody.error || nobody.data.length === 0);
});

test("tokens can be checked with the published keys, and refreshed", async () => {
  const claims = await ann.supabase.auth.getClaims();
  assert.equal(claims.error, null, JSON.stringify(claims.error));
  assert.equal(claims.data.claims.sub, ann.user.id);
  assert.equal(claims.data.header.alg, "ES256");
  const before = (await ann.supabase.auth.getSession()).data.session;
  const fresh = await ann.supabase.auth.refreshSession();
  assert.equal(fresh.error, null, JSON.stringify(fresh.error));
  assert.notEqual(fresh.data.session.refresh_token, before.refresh_token);
  assert.equal((await ann.supabase.from("notes").select("text")).data.length, 1);
});

test("change my account", async () => {
  const changed = await ann.supabase.auth.updateUser({ data: { nickname: "A" } });
  assert.equal(changed.error, null, JSON.stringify(changed.error));
  assert.equal((await ann.supabase.auth.getUser()).data.user.user_metadata.nickname, "A");
});

test("a mailed code and a mailed link sign in", async () => {
  const supabase = client("otp");
  const asked = await supabase.auth.signInWithOtp({ email: bob.email, options: { shouldCreateUser: false } });
  assert.equal(asked.error, null, JSON.stringify(asked.error));
  const signed = await supabase.auth.verifyOtp({ email: bob.email, token: codeOf(await mailTo(bob.email, 1)), type: "email" });
  assert.equal(signed.error, null, JSON.stringify(signed.error));
  assert.equal(signed.data.user.id, bob.user.id);
  const twice = await client("otp2").auth.verifyOtp({ email: bob.email, token: codeOf(await mailTo(bob.email, 1)), type: "email" });
  assert.ok(twice.error, "a code works once");
});

test("a forgotten password is set anew through a link, with PKCE", async () => {
  const supabase = client("recover");
  const asked = await supabase.auth.resetPasswordForEmail(bob.email, { redirectTo: "https://app.example.com/back" });
  assert.equal(asked.error, null, JSON.stringify(asked.error));
  const mail = await mailTo(bob.email, 2);
  const link = mail.match(/https?:\/\/\S*\/auth\/v1\/verify\?[^\s"<>]+/)[0].replaceAll("&amp;", "&");
  const looked = await fetch(link, { redirect: "manual" });
  assert.equal(looked.status, 200, "looking at a link does not use it");
  const page = await looked.text();
  const cookie = looked.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
  const fields = [...page.matchAll(/<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"/g)].map(([, name, value]) => [name, value]);
  const used = await fetch(link.split("?")[0], {
    method: "POST", redirect: "manual", body: new URLSearchParams(fields),
    headers: { origin: new URL(link).origin, "sec-fetch-site": "same-origin", cookie },
  });
  assert.equal(used.status, 303, await used.text());
  const back = new URL(used.headers.get("location"));
  assert.equal(back.origin + back.pathname, "https://app.example.com/back");
  const exchanged = await supabase.auth.exchangeCodeForSession(back.searchParams.get("code"));
  assert.equal(exchanged.error, null, JSON.stringify(exchanged.error));
  const changed = await supabase.auth.updateUser({ password: "another good passphrase 7" });
  assert.equal(changed.error, null, JSON.stringify(changed.error));
  const old = await client("old").auth.signInWithPassword({ email: bob.email, password });
  assert.equal(old.error.code, "invalid_credentials");
});

test("the implicit flow is refused by name", async () => {
  const implicit = createClient(BASE, KEY, { auth: { flowType: "implicit", persistSession: false, autoRefreshToken: false }, realtime: { transport: class {} } });
  const asked = await implicit.auth.signInWithOtp({ email: ann.email, options: { emailRedirectTo: "https://app.example.com/back" } });
  assert.match(asked.error.message, /flowType: 'pkce'/);
});

test("sign out", async () => {
  const token = (await ann.supabase.auth.getSession()).data.session.access_token;
  assert.equal((await ann.supabase.auth.signOut()).error, null);
  const after = await fetch(`${BASE}/rest/v1/notes?select=text`, { headers: { apikey: KEY, authorization: `Bearer ${token}` } });
  assert.equal(after.status, 401, "a session that ended is over at once");
});
