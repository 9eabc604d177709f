import type { Operation } from "./openapi.ts";

/**
 * The command line that makes this request, to be pasted in a shell that has `BASE_URL` and `TOKEN`; parameters of the path
 * stand there by their names.
 */
export function curlExample(method: string, path: string, { security, requestBody }: Operation): string {
  const body = requestBody?.content["application/json"]?.example;
  const parts = [
    `curl -X ${method.toUpperCase()} "$BASE_URL${path}"`,
    ...(security ? ['-H "Authorization: Bearer $TOKEN"'] : []),
    ...(body === undefined
      ? []
      : ['-H "Content-Type: application/json"', `-d '${JSON.stringify(body).replaceAll("'", String.raw`'\''`)}'`]),
  ];
  return parts.join(" \\\n  ");
}
