import { createHash } from "node:crypto";
import { invalidParameter } from "./errors.ts";
import { optionalObject, optionalText, requiredText } from "./input.ts";
import type { Input } from "./input.ts";

/** As sent and as given back; a binary value is base64. */
type MessageAttribute = { DataType: string; StringValue?: string; BinaryValue?: string };
export type MessageAttributes = Record<string, MessageAttribute>;

/** Developer guide, "SQS message attributes". */
const MOST_ATTRIBUTES = 10;
const NAME = /^(?!\.)(?!.*\.\.)(?!aws\.)(?!amazon\.)[\w.-]{1,256}(?<!\.)$/i;
const TYPE = /^(String|Number|Binary)(\..+)?$/;
const LONGEST_TYPE = 256;

/** Throws `InvalidParameterValue`. */
export function parseMessageAttributes(input: Input): MessageAttributes {
  const given = Object.keys(optionalObject(input, "MessageAttributes") ?? {});
  if (given.length > MOST_ATTRIBUTES) {
    throw invalidParameter(`Number of message attributes [${given.length}] exceeds the allowed maximum [10].`);
  }
  const attributes = optionalObject(input, "MessageAttributes") ?? {};
  return Object.fromEntries(given.map((name) => [name, parseOne(name, optionalObject(attributes, name) ?? {})]));
}

function parseOne(name: string, value: Input): MessageAttribute {
  if (!NAME.test(name)) throw invalidParameter(`The message attribute name '${name}' is invalid.`);
  const type = requiredText(value, "DataType");
  const kind = TYPE.exec(type)?.[1];
  if (kind === undefined || type.length > LONGEST_TYPE) {
    throw invalidParameter(`The type of message attribute '${name}' is invalid.`);
  }
  const field = kind === "Binary" ? "BinaryValue" : "StringValue";
  const content = optionalText(value, field);
  if (content === undefined || content === "") {
    throw invalidParameter(`The message attribute '${name}' must contain a non-empty value of type '${kind}'.`);
  }
  if (kind === "Number" && !Number.isFinite(Number(content))) {
    throw invalidParameter(`Can't cast the value of message attribute '${name}' to a number.`);
  }
  return { DataType: type, [field]: content };
}

/** What the attributes add to the size of a message: names, types and values. */
export function attributesBytes(attributes: MessageAttributes): number {
  return Object.entries(attributes).reduce(
    (sum, [name, attribute]) => sum + Buffer.byteLength(name) + attribute.DataType.length + valueOf(attribute).length,
    0,
  );
}

/** Developer guide, "calculating the MD5 message digest for message attributes". */
export function attributesMd5(attributes: MessageAttributes): string {
  const hash = createHash("md5");
  const add = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const [name, attribute] of Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))) {
    add(Buffer.from(name));
    add(Buffer.from(attribute.DataType));
    hash.update(Buffer.from([attribute.BinaryValue === undefined ? 1 : 2]));
    add(valueOf(attribute));
  }
  return hash.digest("hex");
}

/** The attributes that a receive asks for: by name, by `prefix.*`, or all of them. */
export function chooseAttributes(attributes: MessageAttributes, wanted: readonly string[]): MessageAttributes {
  const matches = (name: string) =>
    wanted.some((pattern) => {
      if (pattern === "All" || pattern === ".*") return true;
      return pattern.endsWith(".*") ? name.startsWith(pattern.slice(0, -2)) : name === pattern;
    });
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => matches(name)));
}

function valueOf({ BinaryValue, StringValue }: MessageAttribute): Buffer {
  return BinaryValue === undefined ? Buffer.from(StringValue ?? "") : Buffer.from(BinaryValue, "base64");
}
