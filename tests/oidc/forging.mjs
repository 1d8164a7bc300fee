// A provider that says whatever it is told to: node forging.mjs PORT; PUT /forge {"claims": {...}, "header": {...}}
import { createServer } from "node:http";
import { OAuth2Server } from "oauth2-mock-server";

const server = new OAuth2Server();
await server.issuer.keys.generate("RS256");
let forged = {};
let nonce;
server.service.on("beforeAuthorizeRedirect", (_, request) => {
  nonce = request.query.nonce;
});
server.service.on("beforeResponse", (response) => {
  if (forged.idToken !== undefined) response.body.id_token = forged.idToken;
});
server.service.on("beforeTokenSigning", (token) => {
  if (nonce) token.payload.nonce = nonce;
  Object.assign(token.payload, forged.claims ?? {});
  for (const name of forged.without ?? []) delete token.payload[name];
});
await server.start(Number(process.argv[2]), "127.0.0.1");
createServer((request, response) => {
  let body = "";
  request.on("data", (piece) => (body += piece));
  request.on("end", () => {
    forged = JSON.parse(body);
    response.end();
  });
}).listen(Number(process.argv[3]), "127.0.0.1", () => console.log(server.issuer.url));
