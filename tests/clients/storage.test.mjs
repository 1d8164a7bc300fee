// What @supabase/supabase-js' storage client does against a running tenant.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import test from "node:test";
import { createClient } from "@supabase/supabase-js";

const { BASE, KEY, ADMIN } = process.env;
const PNG = Buffer.from("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082", "hex");

function client(key = KEY) {
  return createClient(BASE, key, {
    auth: { flowType: "pkce", storageKey: crypto.randomUUID(), persistSession: false, autoRefreshToken: false },
    realtime: { transport: class {} },
  });
}

async function member(name) {
  const email = `${name}-${crypto.randomUUID()}@example.com`;
  const admin = client(ADMIN);
  const made = await admin.auth.admin.createUser({ email, password: "correct horse battery 9", email_confirm: true, role: "member" });
  assert.equal(made.error, null);
  const own = client();
  const signed = await own.auth.signInWithPassword({ email, password: "correct horse battery 9" });
  assert.equal(signed.error, null);
  return [own, signed.data.user.id];
}

const ok = ({ data, error }) => {
  assert.equal(error, null, JSON.stringify(error));
  return data;
};
const bytes = async (blob) => Buffer.from(await blob.arrayBuffer());

test("upload, download, replace, inform, remove", async () => {
  const [mia, id] = await member("mia");
  const papers = mia.storage.from("papers");
  const path = `${id}/a folder/bericht.txt`;
  const up = ok(await papers.upload(path, Buffer.from("one"), { contentType: "text/plain", metadata: { kind: "draft" } }));
  assert.deepEqual([up.path, up.fullPath], [path, `papers/${path}`]);
  assert.equal((await bytes(ok(await papers.download(path)))).toString(), "one");
  const again = await papers.upload(path, "two");
  assert.deepEqual([again.error.status, again.error.statusCode], [409, "409"]);
  ok(await papers.upload(path, "two", { upsert: true }));
  assert.equal((await bytes(ok(await papers.download(path)))).toString(), "two");
  ok(await papers.update(path, new Blob(["three"]), { cacheControl: "60", metadata: { kind: "final" } }));
  assert.equal((await bytes(ok(await papers.download(path)))).toString(), "three");
  const info = ok(await papers.info(path));
  assert.deepEqual([info.size, info.contentType, info.cacheControl, info.metadata.kind], [5, "text/plain", "max-age=60", "final"]);
  assert.equal(ok(await papers.exists(path)), true);
  const missing = await papers.update(`${id}/none.txt`, "x");
  assert.equal(missing.error.status, 404);
  const removed = ok(await papers.remove([path, `${id}/none.txt`]));
  assert.deepEqual(removed.map((one) => one.name), [path]);
  assert.equal((await papers.exists(path)).data, false);
});

test("what is another's is not there", async () => {
  const [mia, id] = await member("mia");
  const [max, other] = await member("max");
  const path = `${id}/secret.txt`;
  ok(await mia.storage.from("papers").upload(path, "mine"));
  for (const stranger of [max, client()]) {
    const papers = stranger.storage.from("papers");
    for (const tried of [
      await papers.download(path), await papers.info(path), await papers.createSignedUrl(path, 60),
      await papers.upload(path, "theirs", { upsert: true }), await papers.update(path, "theirs"),
      await papers.upload(`${id}/new.txt`, "theirs"), await papers.createSignedUploadUrl(`${id}/new.txt`),
      await papers.move(path, `${other}/taken.txt`), await papers.copy(path, `${other}/taken.txt`),
    ]) assert.ok(tried.error && [400, 401, 403, 404, 409].includes(tried.error.status), JSON.stringify(tried));
    assert.deepEqual((await papers.remove([path])).data ?? [], []);
    assert.deepEqual((await papers.list(id)).data ?? [], []);
  }
  assert.equal((await bytes(ok(await mia.storage.from("papers").download(path)))).toString(), "mine");
  // one's own may not be moved to where one may not write
  assert.ok((await mia.storage.from("papers").move(path, `${other}/x.txt`)).error);
  assert.ok((await mia.storage.from("closed").upload("x.txt", "x")).error);
  assert.equal((await mia.storage.from("nothing").upload("x.txt", "x")).error.status, 404);
  // nor do the rows behind objects change in another way
  const row = await mia.from("storage_objects").update({ owner_id: other }).eq("path", path);
  assert.equal(row.error.code, "storage.api");
});

test("lists, copies and moves", async () => {
  const [mia, id] = await member("mia");
  const papers = mia.storage.from("papers");
  for (const name of ["b.txt", "a.txt", "deep/c.txt", "deep/er/d.txt", "1_x.txt", "1axx/y.txt"]) ok(await papers.upload(`${id}/${name}`, name));
  const here = ok(await papers.list(id, { sortBy: { column: "name", order: "asc" } }));
  assert.deepEqual(here.map((one) => [one.name, one.id !== null]), [["1_x.txt", true], ["1axx", false], ["a.txt", true], ["b.txt", true], ["deep", false]]);
  assert.equal(here[2].metadata.size, 5);
  assert.deepEqual(ok(await papers.list(id, { limit: 1, offset: 2 })).map((one) => one.name), ["a.txt"]);
  assert.deepEqual(ok(await papers.list(id, { search: "b" })).map((one) => one.name), ["b.txt"]);
  assert.deepEqual(ok(await papers.listV2({ prefix: `${id}/1_` })).objects.map((one) => one.name), ["1_x.txt"]);
  assert.deepEqual(ok(await papers.list(`${id}/deep`)).map((one) => one.name), ["c.txt", "er"]);
  const page = ok(await papers.listV2({ prefix: `${id}/`, limit: 2, with_delimiter: true }));
  assert.equal(page.hasNext, true);
  const rest = ok(await papers.listV2({ prefix: `${id}/`, limit: 10, cursor: page.nextCursor, with_delimiter: true }));
  assert.deepEqual([rest.hasNext, rest.folders.map((one) => one.key)], [false, [`${id}/deep/`]]);
  ok(await papers.copy(`${id}/a.txt`, `${id}/copy.txt`));
  ok(await papers.move(`${id}/b.txt`, `${id}/moved/b.txt`));
  assert.equal((await papers.move(`${id}/a.txt`, `${id}/copy.txt`)).error.status, 409);
  ok(await papers.remove([`${id}/a.txt`]));
  for (const [name, text] of [["copy.txt", "a.txt"], ["moved/b.txt", "b.txt"]]) assert.equal((await bytes(ok(await papers.download(`${id}/${name}`)))).toString(), text);
  assert.equal((await papers.download(`${id}/b.txt`)).error.status, 404);
});

test("links, and public buckets", async () => {
  const [mia, id] = await member("mia");
  const papers = mia.storage.from("papers");
  const path = `${id}/a b.txt`;
  ok(await papers.upload(path, "by link"));
  const link = ok(await papers.createSignedUrl(path, 60, { download: "name.txt" })).signedUrl;
  const opened = await fetch(link);
  assert.deepEqual([opened.status, await opened.text()], [200, "by link"]);
  assert.match(opened.headers.get("content-disposition"), /^attachment; filename="name.txt"/);
  assert.equal((await fetch(link.replace("a%20b", "a%20c"))).status, 404);
  const links = ok(await papers.createSignedUrls([path, `${id}/none`], 60));
  assert.deepEqual(links.map((one) => [one.path, one.error === null]), [[path, true], [`${id}/none`, false]]);
  const place = ok(await papers.createSignedUploadUrl(`${id}/later.txt`));
  ok(await client().storage.from("papers").uploadToSignedUrl(place.path, place.token, Buffer.from("later")));
  assert.equal((await bytes(ok(await papers.download(`${id}/later.txt`)))).toString(), "later");
  assert.ok((await client().storage.from("papers").uploadToSignedUrl(`${id}/else.txt`, place.token, "x")).error);

  const avatars = mia.storage.from("avatars");
  assert.equal((await avatars.upload(`${id}.html`, "<script>", { contentType: "image/png" })).error.status, 415);
  assert.equal((await avatars.upload(`${id}.png`, Buffer.concat([PNG, Buffer.alloc(1 << 20)]))).error.status, 413);
  ok(await avatars.upload(`${id}.png`, PNG, { contentType: "image/png" }));
  const shown = await fetch(avatars.getPublicUrl(`${id}.png`).data.publicUrl);
  assert.deepEqual([shown.status, shown.headers.get("content-type"), shown.headers.get("cache-control")], [200, "image/png", "public, max-age=3600"]);
  assert.deepEqual(Buffer.from(await shown.arrayBuffer()), PNG);
  const transform = { width: 8, height: 8, resize: "fill" };
  for (const url of [
    avatars.getPublicUrl(`${id}.png`, { transform }).data.publicUrl,
    ok(await avatars.createSignedUrl(`${id}.png`, 60, { transform })).signedUrl,
  ]) {
    const small = await fetch(url);
    assert.deepEqual([small.status, small.headers.get("content-type")], [200, "image/webp"], url);
  }
  assert.equal(ok(await avatars.download(`${id}.png`, { transform })).type, "image/webp");
  assert.equal((await fetch(papers.getPublicUrl(path).data.publicUrl)).status, 404);
});

test("buckets are for admins", async () => {
  const [mia] = await member("mia");
  assert.ok((await mia.storage.createBucket("mine")).error);
  const { storage } = client(ADMIN);
  assert.deepEqual(ok(await storage.createBucket("made", { public: true, fileSizeLimit: "1MB", allowedMimeTypes: ["text/plain"] })).name, "made");
  assert.equal((await storage.createBucket("made")).error.status, 409);
  assert.deepEqual(ok(await storage.listBuckets()).map((one) => one.name), ["avatars", "closed", "made", "papers"]);
  const made = ok(await storage.getBucket("made"));
  assert.deepEqual([made.public, made.allowed_mime_types], [true, ["text/plain"]]);
  ok(await storage.from("made").upload("x.txt", "x"));
  assert.equal(await (await fetch(storage.from("made").getPublicUrl("x.txt").data.publicUrl)).text(), "x");
  ok(await storage.updateBucket("made", { public: false }));
  assert.equal((await fetch(storage.from("made").getPublicUrl("x.txt").data.publicUrl)).status, 404);
  assert.equal((await storage.deleteBucket("made")).error.status, 409);
  ok(await storage.emptyBucket("made"));
  ok(await storage.deleteBucket("made"));
  assert.equal((await storage.deleteBucket("papers")).error.status, 409);
});
