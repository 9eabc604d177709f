import { Curve, proto, type KeyPair } from "@whiskeysockets/baileys";

/** The key pairs a simulator keeps for good: clients trust it by `root.public`. */
export type CertificateKeys = { root: KeyPair; intermediate: KeyPair; server: KeyPair };

/** What the Noise handshake needs: the server's static key pair and the encoded chain that vouches for it. */
export type Certificates = { rootPublicKey: Buffer; serverKey: KeyPair; chain: Uint8Array };

const NOT_AFTER = 4_102_444_800; // 2100-01-01, never checked by Baileys

/** New random keys for a simulator that has none stored. */
export function createCertificateKeys(): CertificateKeys {
  return {
    root: Curve.generateKeyPair(),
    intermediate: Curve.generateKeyPair(),
    server: Curve.generateKeyPair(),
  };
}

/**
 * Signs root → intermediate → leaf. Baileys checks both signatures and that the intermediate's `issuerSerial` is
 * `WA_CERT_DETAILS.SERIAL`, which is 0 (Utils/noise-handler.js, `processHandshake`).
 */
export function issueCertificates(keys: CertificateKeys): Certificates {
  const { Details } = proto.CertChain.NoiseCertificate;
  const validity = { notBefore: 0, notAfter: NOT_AFTER };
  const intermediate = Details.encode({
    serial: 1,
    issuerSerial: 0,
    key: keys.intermediate.public,
    ...validity,
  }).finish();
  const leaf = Details.encode({ serial: 2, issuerSerial: 1, key: keys.server.public, ...validity }).finish();
  const chain = proto.CertChain.encode({
    intermediate: { details: intermediate, signature: Curve.sign(keys.root.private, intermediate) },
    leaf: { details: leaf, signature: Curve.sign(keys.intermediate.private, leaf) },
  }).finish();
  return { rootPublicKey: Buffer.from(keys.root.public), serverKey: keys.server, chain };
}
