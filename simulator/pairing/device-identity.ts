import { randomBytes } from "node:crypto";
import {
  Curve,
  hmacSign,
  proto,
  WA_ADV_ACCOUNT_SIG_PREFIX,
  WA_ADV_DEVICE_SIG_PREFIX,
  type KeyPair,
} from "@whiskeysockets/baileys";

/** A phone's word that a companion belongs to it, and what the companion must sign in return. */
export type DeviceInvitation = {
  /** `ADVSignedDeviceIdentityHMAC`, the content of `<device-identity>` in `pair-success`. */
  signedByPhone: Uint8Array;
  /** `ADVDeviceIdentity` inside it. */
  details: Uint8Array;
};

/** Signs as Baileys checks it: Utils/validate-connection.js, `configureSuccessfulPairing`. */
export function inviteDevice(input: {
  phoneIdentity: KeyPair;
  companionIdentityKey: Uint8Array;
  /** Base64: from the QR code, or agreed on by pairing code. */
  advSecret: string;
  keyIndex: number;
}): DeviceInvitation {
  const { phoneIdentity, companionIdentityKey, advSecret, keyIndex } = input;
  const details = proto.ADVDeviceIdentity.encode({
    rawId: randomBytes(4).readUInt32BE() >>> 1,
    timestamp: Math.floor(Date.now() / 1000),
    keyIndex,
    accountType: proto.ADVEncryptionType.E2EE,
    deviceType: proto.ADVEncryptionType.E2EE,
  }).finish();
  const accountSignature = Curve.sign(
    phoneIdentity.private,
    Buffer.concat([WA_ADV_ACCOUNT_SIG_PREFIX, details, companionIdentityKey]),
  );
  const signed = proto.ADVSignedDeviceIdentity.encode({
    details,
    accountSignatureKey: phoneIdentity.public,
    accountSignature,
  }).finish();
  const hmac = hmacSign(signed, Buffer.from(advSecret, "base64"));
  return { signedByPhone: proto.ADVSignedDeviceIdentityHMAC.encode({ details: signed, hmac }).finish(), details };
}

/** Whether the companion's answer in `pair-device-sign` carries its valid signature under this invitation. */
export function isSignedByCompanion(
  answer: Uint8Array,
  invitation: DeviceInvitation,
  keys: { phoneIdentityKey: Uint8Array; companionIdentityKey: Uint8Array },
): boolean {
  const { details, deviceSignature } = proto.ADVSignedDeviceIdentity.decode(answer);
  if (!details || deviceSignature?.length !== 64 || !Buffer.from(details).equals(invitation.details)) return false;
  const signed = Buffer.concat([WA_ADV_DEVICE_SIG_PREFIX, details, keys.companionIdentityKey, keys.phoneIdentityKey]);
  return Curve.verify(keys.companionIdentityKey, signed, deviceSignature);
}
