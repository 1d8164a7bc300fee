// What @supabase/supabase-js does against a running tenant, signing in and data together.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { createClient } from "@supabase/supabase-js";

const { BASE, KEY, ADMIN, MAIL } = process.env;
const password = "correct horse battery 9";

function client(storageKey, key = KEY) {
  const memory = new Map();
  const storage = {
    getItem: (name) => memory.get(name) ?? null,
    setItem: (name, value) => void memory.set(name, value),
    removeItem: (name) => void memory.delete(name),
  };
  return createClient(BASE, key, {
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
  const [, token, type] = mail.match(/\/app\/[\w-]+\/link#token=([\w-]+)&(?:amp;)?type=(\w+)/);
  // what the page behind the link does
  const used = await fetch(`${BASE}/auth/v1/verify`, {
    method: "POST", body: JSON.stringify({ type, token_hash: token, cookie: true }),
    headers: { "content-type": "application/json", origin: new URL(BASE).origin, "sec-fetch-site": "same-origin" },
  });
  assert.equal(used.status, 200);
  const back = new URL((await used.json()).redirect_to);
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

// a one-time code of an authenticator (RFC 6238)
function totp(secret, at = Date.now()) {
  const bits = [...secret].map((char) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(char).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const hash = crypto.createHmac("sha1", key).update(counter).digest();
  const value = hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff;
  return String(value % 1000000).padStart(6, "0");
}

test("a second factor", async () => {
  const cleo = await member("cleo");
  const enrolled = await cleo.supabase.auth.mfa.enroll({ factorType: "totp", friendlyName: "phone" });
  assert.equal(enrolled.error, null, JSON.stringify(enrolled.error));
  assert.match(enrolled.data.totp.qr_code, /^data:image\/svg\+xml;utf-8,/);
  const factorId = enrolled.data.id;
  const wrong = await cleo.supabase.auth.mfa.challengeAndVerify({ factorId, code: "000000" });
  assert.equal(wrong.error.code, "mfa_verification_failed");
  assert.equal((await cleo.supabase.auth.mfa.getAuthenticatorAssuranceLevel()).data.currentLevel, "aal1");
  const proven = await cleo.supabase.auth.mfa.challengeAndVerify({ factorId, code: totp(enrolled.data.totp.secret) });
  assert.equal(proven.error, null, JSON.stringify(proven.error));
  assert.equal((await cleo.supabase.auth.mfa.getAuthenticatorAssuranceLevel()).data.currentLevel, "aal2");
  assert.deepEqual((await cleo.supabase.auth.mfa.listFactors()).data.totp.map((factor) => factor.id), [factorId]);
  const weak = client("cleo2");
  await weak.auth.signInWithPassword({ email: cleo.email, password });
  assert.deepEqual((await weak.auth.mfa.getAuthenticatorAssuranceLevel()).data.nextLevel, "aal2");
  assert.equal((await weak.auth.mfa.unenroll({ factorId })).error.code, "insufficient_aal");
  const removed = await cleo.supabase.auth.mfa.unenroll({ factorId });
  assert.equal(removed.error, null, JSON.stringify(removed.error));
});

test("what admins do", async () => {
  const admin = client("admin", ADMIN).auth.admin;
  const made = await admin.createUser({ email: "dora@example.com", password, email_confirm: true, user_metadata: { name: "Dora" } });
  assert.equal(made.error, null, JSON.stringify(made.error));
  const { id } = made.data.user;
  assert.equal((await admin.getUserById(id)).data.user.email, "dora@example.com");
  const listed = await admin.listUsers({ page: 1, perPage: 2 });
  assert.equal(listed.error, null, JSON.stringify(listed.error));
  assert.equal(listed.data.users.length, 2);
  assert.ok(listed.data.total > 2 && listed.data.nextPage === 2, JSON.stringify(listed.data));
  const dora = client("dora");
  assert.equal((await dora.auth.signInWithPassword({ email: "dora@example.com", password })).error, null);
  assert.equal((await admin.updateUserById(id, { ban_duration: "1h" })).error, null);
  assert.equal((await client("dora2").auth.signInWithPassword({ email: "dora@example.com", password })).error.code, "user_banned");
  assert.equal((await dora.auth.refreshSession()).data.session, null);
  assert.equal((await admin.updateUserById(id, { ban_duration: "none" })).error, null);
  const link = await admin.generateLink({ type: "magiclink", email: "dora@example.com", options: { redirectTo: "https://app.example.com/back" } });
  assert.equal(link.error, null, JSON.stringify(link.error));
  assert.equal(link.data.properties.redirect_to, "https://app.example.com/back");
  const used = await dora.auth.verifyOtp({ token_hash: link.data.properties.hashed_token, type: "email" });
  assert.equal(used.error, null, JSON.stringify(used.error));
  assert.equal(used.data.user.id, id);
  const token = used.data.session.access_token;
  const invited = await admin.inviteUserByEmail("emil@example.com", { data: { name: "Emil" }, redirectTo: "https://app.example.com/back" });
  assert.equal(invited.error, null, JSON.stringify(invited.error));
  const emil = client("emil");
  const came = await emil.auth.verifyOtp({ email: "emil@example.com", token: codeOf(await mailTo("emil@example.com")), type: "invite" });
  assert.equal(came.error, null, JSON.stringify(came.error));
  assert.equal((await emil.auth.updateUser({ password: "my own good words 5" })).error, null);
  assert.equal((await admin.signOut(token, "global")).error, null);
  assert.equal((await dora.auth.getUser(token)).data.user, null);
  assert.equal((await admin.deleteUser(id)).error, null);
  assert.equal((await admin.getUserById(id)).error.code, "user_not_found");
  const nobody = await client("nobody").auth.admin.listUsers();
  assert.ok(nobody.error, "the public key is no admin's");
});

test("other ways in and out", async () => {
  const one = client("one"), two = client("two"), three = client("three");
  for (const supabase of [one, two, three]) {
    assert.equal((await supabase.auth.signInWithPassword({ email: "ann@example.com", password })).error, null);
  }
  assert.equal((await one.auth.signOut({ scope: "others" })).error, null);
  assert.equal((await two.auth.getUser()).data.user, null);
  assert.equal((await one.auth.getUser()).error, null);
  assert.deepEqual((await one.auth.getUserIdentities()).data.identities.map((item) => item.provider), ["email"]);
  assert.equal((await one.auth.reauthenticate()).error, null);
  assert.equal((await one.auth.signOut({ scope: "local" })).error, null);
  const anonymous = client("anonymous");
  const nobody = await anonymous.auth.signInAnonymously();
  assert.equal(nobody.error, null, JSON.stringify(nobody.error));
  assert.equal(nobody.data.user.is_anonymous, true);
  assert.equal((await anonymous.auth.updateUser({ email: "frida@example.com" })).error, null);
  const named = await anonymous.auth.verifyOtp({ email: "frida@example.com", token: codeOf(await mailTo("frida@example.com")), type: "email_change" });
  assert.equal(named.error, null, JSON.stringify(named.error));
  assert.deepEqual([named.data.user.id, named.data.user.is_anonymous], [nobody.data.user.id, false]);
  assert.equal((await client("r").auth.resend({ type: "signup", email: "nobody@example.com" })).error, null);
  const social = await client("s").auth.signInWithOAuth({ provider: "github", options: { skipBrowserRedirect: true } });
  assert.match(social.data.url, /auth\/v1\/authorize\?provider=github.*code_challenge_method=s256/);
  const weak = await client("w").auth.signUp({ email: "weak@example.com", password: "short" });
  assert.deepEqual([weak.error.code, weak.error.reasons], ["weak_password", ["length"]]);
});

test("sign out", async () => {
  const token = (await ann.supabase.auth.getSession()).data.session.access_token;
  assert.equal((await ann.supabase.auth.signOut()).error, null);
  const after = await fetch(`${BASE}/rest/v1/notes?select=text`, { headers: { apikey: KEY, authorization: `Bearer ${token}` } });
  assert.equal(after.status, 401, "a session that ended is over at once");
});
