import type { S3Client } from "@aws-sdk/client-s3";
import type { SchedulerClient } from "@aws-sdk/client-scheduler";

type Signable = {
  method: string;
  protocol: string;
  hostname: string;
  port: number;
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  body?: string | Buffer;
};
type Signer = {
  presign: (request: Signable, options: { expiresIn: number; signingDate?: Date }) => Promise<Signable>;
  sign: (request: Signable, options: { signingDate?: Date }) => Promise<Signable>;
};

/** The signer of the SDK itself, for requests that its commands do not make. */
export async function openSigner(client: S3Client | SchedulerClient, endpoint: string) {
  const signer = (await client.config.signer()) as unknown as Signer;
  const { hostname, port, host } = new URL(endpoint);
  const target = { protocol: "http:", hostname, port: Number(port) };

  return {
    /** A URL that does the request for whoever has it. */
    presign: async (
      method: string,
      path: string,
      query: Record<string, string> = {},
      expiresIn = 60,
      signingDate = new Date(),
    ) => {
      const headers = { host, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
      const request = { ...target, method, path, query, headers };
      const signed = await signer.presign(request, { expiresIn, signingDate });
      return `${endpoint}${signed.path}?${new URLSearchParams(signed.query)}`;
    },
    /** The headers that make the request a signed one. */
    sign: async (
      method: string,
      path: string,
      headers: Record<string, string> = {},
      body: string | Buffer = "",
      signingDate = new Date(),
    ): Promise<Record<string, string>> => {
      const request = { ...target, method, path, query: {}, headers: { host, ...headers }, body };
      return (await signer.sign(request, { signingDate })).headers;
    },
  };
}
