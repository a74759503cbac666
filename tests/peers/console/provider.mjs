// provider.mjs ISSUER REDIRECT_URI: an OpenID Connect provider for the tests, on loopback only. It
// lets anybody in under the name that they type; node-oidc-provider does everything else.
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [issuer, redirectUri] = process.argv.slice(2);
const require = createRequire(path.join(process.env.CAISHI_NODE_MODULES, "x.js"));
const { Provider } = await import(pathToFileURL(require.resolve("oidc-provider")).href);

const provider = new Provider(issuer, {
  clients: [{
    client_id: "caishi",
    client_secret: "a secret of the client",
    redirect_uris: [redirectUri],
    response_types: ["code"],
    grant_types: ["authorization_code"],
  }],
  claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email", "email_verified"] },
  conformIdTokenClaims: false,
  cookies: { keys: ["a key for cookies of tests"] },
  features: { devInteractions: { enabled: true } },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id, email: `${id}@shancheng.example`, email_verified: true }),
  }),
});
const { hostname, port } = new URL(issuer);
const server = provider.listen(Number(port), hostname);
// Whoever started it may be gone without a word.
setTimeout(() => { server.close(); process.exit(0); }, 120_000).unref();
