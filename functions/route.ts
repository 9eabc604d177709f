/**
 * What a route is: the schemas that validate a request and describe it in `/openapi.json`, the answers, and the
 * function that turns the one into the other. A route knows nothing of the HTTP framework.
 */
import * as z from "zod";
import type { ApiConfig } from "../shared/config.ts";
import type { Database } from "../shared/db/pool.ts";
import type { Viewer } from "../shared/db/visible-devices.ts";
import type { DeliveryQueue } from "../shared/delivery-queue.ts";
import type { ApiError, ErrorCode } from "../shared/errors.ts";
import type { TokenId } from "../shared/ids.ts";
import type { GuardedFetch } from "../shared/guarded-fetch.ts";
import type { Log } from "../shared/log.ts";
import type { MediaFiles } from "../shared/media-files.ts";
import type { CommandQueues } from "../shared/queue.ts";
import type { Scheduler } from "../shared/scheduler.ts";
import type { Storage } from "../shared/storage.ts";
import type { GrantedScope, Scope } from "../shared/scopes.ts";
import type { Trace } from "../shared/trace.ts";
import type { StreamPlaces } from "./stream-places.ts";
import type { Client } from "./client.ts";
import type { Language, Sentence } from "./language.ts";
import type { FormFile, FormLimits } from "./read-form.ts";
import { validate } from "./validate.ts";
import type { RawRequest, RequestSchemas } from "./validate.ts";

export type Services = {
  config: ApiConfig;
  database: Database;
  queues: CommandQueues;
  scheduler: Scheduler;
  deliveries: Pick<DeliveryQueue, "wake">;
  /** The bucket of media and of answers that hold content. */
  media: Storage;
  /** The files in it. */
  files: MediaFiles;
  /** The only way to a URL that a user gave. */
  guardedFetch: GuardedFetch;
  log: Log;
  /** Of the request at hand, once there is one. */
  trace?: Trace;
  /** Of a process that stays; without it an answer is sent when it is whole. */
  streams?: StreamPlaces;
  /** Given when the process is to end: whoever waits for a command is answered 202 at once. */
  closing?: AbortSignal;
};

/** By what a caller is known. `hash` is that of the login's cookie; a token may never expire. */
export type Credential =
  | { kind: "token"; tokenId: TokenId; expiresAt: Date | null }
  | { kind: "login"; hash: Buffer; expiresAt: Date };

/** Who calls, and what they may do with what they have shown. A login may do all that its user may. */
export type Caller = Viewer & { scopes: readonly GrantedScope[]; credential: Credential };

/** What a route learns about the call besides its validated fields. */
export type PublicCall = { services: Services; language: Language; client: Client; requestId: string };
export type Call = PublicCall & {
  caller: Caller;
  method: string;
  /** Without the query. */
  path: string;
  /** As the client sent it, unknown fields included; files of a form by their hashes. */
  rawBody: unknown;
  /** The files of a form, which go with the request. */
  files: readonly FormFile[];
  /** Whether the client has gone or the process is to end: then there is nothing to wait for. */
  isAbandoned: () => boolean;
};

/** One way in which a route can succeed: the sentence of its envelope, its `data`, and what that looks like. */
export type AnswerSpec<Data extends z.ZodType = z.ZodType> = {
  message: Sentence;
  data: Data;
  example: z.input<Data>;
};
export type AnswerSpecs = Record<number, AnswerSpec>;

/**
 * The `data` of an answer goes into the envelope, with a sentence of its own where the usual one would be wrong; `text` is a
 * whole body of its own type.
 */
type DataAnswer = { status: number; data: unknown; message?: Sentence; headers?: Record<string, string> };
type TextAnswer = {
  status: 200;
  contentType: string;
  text: string | ReadableStream<Uint8Array>;
  headers?: Record<string, string>;
};
/** A failure that has headers to say; one without is thrown. */
type FailureAnswer = { failure: ApiError; headers: Record<string, string> };
export type Answer = DataAnswer | TextAnswer | FailureAnswer;

type AnswerOf<Specs extends AnswerSpecs> = {
  [Status in keyof Specs & number]: {
    status: Status;
    data: z.input<Specs[Status]["data"]>;
    message?: Sentence;
    headers?: Record<string, string>;
  };
}[keyof Specs & number];

type Description = {
  /** The `operationId`, from which client generators make a function's name. */
  name: string;
  method: "get" | "post" | "put" | "delete";
  /** With `:name` for a parameter. */
  path: string;
  tag: string;
  summary: string;
  /** What a caller must know that the schemas do not say. */
  description: string;
  /**
   * For the audit log, when the route has changed something: what was done, and which field of `data`, or else which
   * path parameter, is the id of what it was done to.
   */
  audit?: { action: string; target: string };
  /** Whether clients ask again and again: then a client that has the answer already is told so with a 304. */
  polled?: true;
  /** How large its body may be, where the usual limit is too small for it. */
  maxBodyBytes?: number;
  /** Whether its body may be a form with files, and how large it may be. The files are fields of OpenAPI's `binary` format. */
  form?: FormLimits & { fileFields: readonly string[] };
  /** What a client may do instead of sending a body that is too large. */
  tooLarge?: Sentence;
  /** The codes of this route's own failures, besides those that every route has. */
  errors: readonly ErrorCode[];
  /** Bodies of a 200 that are no envelope, by media type. */
  texts?: Record<string, { schema: { type: "string" | "object" }; example: unknown }>;
};

type AnySchemas = RequestSchemas<z.ZodObject, z.ZodObject, z.ZodObject, z.ZodObject>;
export type Route = Description & {
  request: AnySchemas;
  bodyExample: unknown;
  answers: AnswerSpecs;
} & (
    | { access: "token"; scope: Scope | "any"; run: (raw: RawRequest, call: Call) => Promise<Answer> }
    | { access: "public"; run: (raw: RawRequest, call: PublicCall) => Promise<Answer> }
  );

/** The schema of a part of the request from which the route reads nothing. */
export const nothing = z.object({});
type Nothing = typeof nothing;

/** A route for callers with a token. */
export function route<
  Specs extends AnswerSpecs,
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Headers extends z.ZodObject = Nothing,
  Body extends z.ZodObject = Nothing,
>(
  definition: Description & {
    /** What a token must be allowed to do; `any`: every valid one may. `admin` is for administrators only. */
    scope: Scope | "any";
    params?: Params;
    query?: Query;
    headers?: Headers;
    body?: Body;
    bodyExample?: z.input<Body>;
    answers: Specs;
    handle: (
      input: { params: z.output<Params>; query: z.output<Query>; headers: z.output<Headers>; body: z.output<Body> },
      call: Call,
    ) => Promise<AnswerOf<Specs> | TextAnswer | FailureAnswer>;
  },
): Route {
  const { params, query, headers, body, bodyExample, handle, ...description } = definition;
  const request = {
    params: params ?? nothing,
    query: query ?? nothing,
    headers: headers ?? nothing,
    body: body ?? nothing,
  } as RequestSchemas<Params, Query, Headers, Body>;
  return {
    ...description,
    access: "token",
    request,
    bodyExample,
    run: async (raw, call) => await handle(validate(request, raw, call.language), call),
  };
}

/** A route that anybody may call, and that reads nothing from the request but perhaps its body. */
export function publicRoute<Specs extends AnswerSpecs, Body extends z.ZodObject = Nothing>(
  definition: Description & {
    body?: Body;
    bodyExample?: z.input<Body>;
    answers: Specs;
    handle: (
      call: PublicCall,
      body: z.output<Body>,
      headers: RawRequest["headers"],
    ) => Promise<AnswerOf<Specs> | TextAnswer>;
  },
): Route {
  const { body, bodyExample, handle, ...description } = definition;
  const request = { params: nothing, query: nothing, headers: nothing, body: (body ?? nothing) as Body };
  return {
    ...description,
    access: "public",
    request,
    bodyExample,
    run: async (raw, call) => await handle(call, validate(request, raw, call.language).body, raw.headers),
  };
}

/** Keeps an example in step with its schema. */
export const answer = <Data extends z.ZodType>(
  message: Sentence,
  data: Data,
  example: z.input<Data>,
): AnswerSpec<Data> => ({ message, data, example });
