import fc from "fast-check";
import * as z from "zod";
import type { Json, OpenApiDocument, Operation } from "../openapi.ts";

/** A request as a client might write it. Values of parameters are text, as they travel. */
export type Input = {
  path: Record<string, string>;
  query: Record<string, string>;
  header: Record<string, string>;
  /** The text of the body; undefined: none. */
  body: string | undefined;
};

const MOST_ITEMS = 4;
const LONG = 5_000;

/** Requests for an operation, about half of them as the document wants them, and whether a request is. */
export function inputsOf(operation: Operation, { components }: OpenApiDocument) {
  const schemas = components.schemas;
  const place = (name: "path" | "query" | "header") =>
    operation.parameters.filter((parameter) => parameter.in === name);
  const body = operation.requestBody?.content["application/json"]?.schema;
  const header = text({ type: "object", properties: properties(place("header")) }, schemas);

  const right = fc.record({
    path: text(objectOf(place("path")), schemas),
    query: text(objectOf(place("query")), schemas),
    header,
    body: body ? valueOf(body, schemas).map((value) => JSON.stringify(value)) : fc.constant(undefined),
  });
  const spoil = fc.constantFrom("path", "query", "body" as const);
  const wrong = fc
    .tuple(right, spoil, anything(), fc.nat(), anyBody(body ?? {}, schemas))
    .map(([input, part, junk, at, spoiled]): Input => {
      if (part === "body") return { ...input, body: body && spoiled };
      const names = place(part).map(({ name }) => name);
      const name = names[at % Math.max(1, names.length)];
      return name === undefined ? input : { ...input, [part]: { ...input[part], [name]: plain(junk) } };
    });

  const compiled = {
    path: checked(objectOf(place("path")), schemas),
    query: checked(objectOf(place("query")), schemas),
  };
  const bodySchema = body && checked(body, schemas);
  const isRight = (input: Input): boolean =>
    compiled.path.safeParse(typed(input.path, place("path"))).success &&
    compiled.query.safeParse(typed(input.query, place("query"))).success &&
    (!bodySchema || bodySchema.safeParse(parsed(input.body)).success);
  return { inputs: fc.oneof(right, wrong), isRight };
}

type Parameter = Operation["parameters"][number];
const properties = (parameters: Parameter[]) =>
  Object.fromEntries(parameters.map(({ name, schema }) => [name, schema]));
const objectOf = (parameters: Parameter[]): Json => ({
  type: "object",
  properties: properties(parameters),
  required: parameters.filter(({ required }) => required).map(({ name }) => name),
});

/** What of JSON Schema the document uses. */
type Schema = Partial<{
  $ref: string;
  const: unknown;
  enum: unknown[];
  anyOf: Schema[];
  oneOf: Schema[];
  not: Schema;
  examples: unknown[];
  type: string;
  properties: Record<string, Schema>;
  required: string[];
  items: Schema;
  minItems: number;
  maxItems: number;
  minimum: number;
  maximum: number;
  minLength: number;
  maxLength: number;
  pattern: string;
  format: string;
}>;

/** Values that a schema allows. */
function valueOf(schema: Schema, schemas: Record<string, Schema>): fc.Arbitrary<unknown> {
  const { anyOf, oneOf = anyOf, ...rest } = schema;
  const { $ref, enum: values, examples } = rest;
  if ($ref !== undefined) return valueOf(schemas[$ref.split("/").at(-1) ?? ""] ?? {}, schemas);
  if ("const" in rest) return fc.constant(rest.const);
  if (oneOf) {
    const both = (choice: Schema) => ({ ...rest.properties, ...choice.properties });
    return fc.oneof(...oneOf.map((choice) => valueOf({ ...rest, ...choice, properties: both(choice) }, schemas)));
  }
  if (values) return fc.constantFrom(...values);
  const made = ofType(rest, schemas);
  return examples?.length ? fc.oneof(fc.constantFrom(...examples), made) : made;
}

function ofType(schema: Schema, schemas: Record<string, Schema>): fc.Arbitrary<unknown> {
  const { minimum, maximum, minItems = 0, maxItems = MOST_ITEMS, items = {}, required = [] } = schema;
  switch (schema.type) {
    case "string":
      return stringOf(schema);
    case "integer":
    case "number":
      return fc.integer({ min: minimum ?? -1_000, max: Math.min(maximum ?? 1_000, Number.MAX_SAFE_INTEGER) });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array(valueOf(items, schemas), {
        minLength: minItems,
        maxLength: Math.min(maxItems, Math.max(minItems, MOST_ITEMS)),
      });
    case "object": {
      const fields = Object.entries(schema.properties ?? {});
      // A field that nothing fits is one that must not be there.
      const possible = fields.filter(([, field]) => field.not === undefined);
      const record = Object.fromEntries(possible.map(([name, field]) => [name, valueOf(field, schemas)]));
      return fc.record(record, { requiredKeys: required });
    }
    case undefined:
    default:
      return fc.jsonValue();
  }
}

function stringOf({ pattern, format, minLength = 0, maxLength = 60 }: Schema): fc.Arbitrary<string> {
  if (format === "date-time") return instant().map((date) => date.toISOString());
  if (format === "date") return instant().map((date) => date.toISOString().slice(0, 10));
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  const most = Math.min(maxLength, minLength + 60);
  const known = ["081234567890", "6281234567890@s.whatsapp.net", "120363041234567890@g.us"];
  return fc.oneof(
    fc.string({ unit: "grapheme", minLength, maxLength: most }),
    fc.constantFrom(...known, "x".repeat(minLength)).filter(({ length }) => length >= minLength && length <= maxLength),
  );
}
const instant = () => fc.date({ min: new Date("2020-01-01"), max: new Date("2099-12-31"), noInvalidDate: true });

/** The text forms of the parameters of one place. */
const text = (schema: Schema, schemas: Record<string, Schema>) =>
  valueOf(schema, schemas).map((value) =>
    Object.fromEntries(Object.entries(value as object).map(([name, field]) => [name, plain(field)])),
  );
const plain = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

const anything = () =>
  fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: "binary" }),
    fc.constantFrom("", " ", "null", "-1", "1e999", "NaN", "true", "\u0000", "%", "../..", "' OR 1=1 --"),
    fc.constant("x".repeat(LONG)),
  );

/** A body that is wrong in a field, in the whole, or no JSON at all. */
function anyBody(schema: Schema, schemas: Record<string, Schema>): fc.Arbitrary<string> {
  const fields = Object.keys(schema.properties ?? {});
  const spoiled = fc
    .tuple(valueOf(schema, schemas), fc.constantFrom("", ...fields), fc.option(anything(), { nil: undefined }))
    .map(([value, name, junk]) => JSON.stringify({ ...(value as object), [name]: junk }));
  const whole = fc.oneof(fc.jsonValue(), fc.constantFrom(null, [], 0, "")).map((value) => JSON.stringify(value));
  return fc.oneof({ weight: 4, arbitrary: spoiled }, whole, fc.constantFrom("", "{", '{"a":1}}', "[".repeat(LONG)));
}

function checked(schema: Json, schemas: Record<string, Json>): z.ZodType {
  const whole = JSON.stringify({ ...schema, $defs: schemas }).replaceAll("#/components/schemas/", "#/$defs/");
  return z.fromJSONSchema(JSON.parse(whole) as Json);
}

/** Undefined for no JSON, which no schema of a body allows. An empty body is an empty object. */
function parsed(body: string | undefined): unknown {
  if (body === undefined || body === "") return {};
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** What the text forms stand for, by the types that the document gives them. */
function typed(values: Record<string, string>, parameters: Parameter[]): Record<string, unknown> {
  const types = new Map(parameters.map(({ name, schema }) => [name, schema["type"]]));
  const entries = Object.entries(values).map(([name, value]): [string, unknown] => {
    const type = types.get(name);
    if (type === "integer" || type === "number") return [name, Number(value)];
    return [name, type === "boolean" && (value === "true" || value === "false") ? value === "true" : value];
  });
  return Object.fromEntries(entries);
}
