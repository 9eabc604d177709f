import type { Call } from "./route.ts";

/** Under this path of the API lie the objects of the media bucket, where clients cannot reach the object store. */
export const OBJECTS_PATH = "/objects/";

/**
 * The link that a client gets for a presigned URL: the URL itself, or one that leads through the API to the same
 * (`with-objects.ts`). A client that does not say how it calls the API gets a path of it.
 */
export function objectLink(signed: string, { services, client }: Pick<Call, "services" | "client">): string {
  const { objectEndpoint, mediaBucket } = services.config;
  if (objectEndpoint === undefined) return signed;
  const { pathname, search } = new URL(signed);
  const key = pathname.slice(`/${mediaBucket}/`.length);
  return `${client.origin ?? ""}${OBJECTS_PATH}${key}${search}`;
}
