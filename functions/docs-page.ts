import { html } from "hono/html";
import { curlExample } from "./curl-example.ts";
import type { OpenApiDocument, Operation } from "./openapi.ts";

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
  h2 { margin-top: 3rem; } h3 { margin: 2rem 0 0; } h3 code { font-size: 1rem; } code, pre { font: 14px/1.5 ui-monospace, monospace; }
  pre { background: #f4f6f8; padding: .75rem; overflow-x: auto; } summary { cursor: pointer; }
  table { border-collapse: collapse; } td, th { text-align: left; padding: .25rem 1rem .25rem 0; vertical-align: top; }
  @media (prefers-color-scheme: dark) { body { background: #14171a; color: #e6e9ec; } pre { background: #22272c; } a { color: #8ab4f8; } }`;

/** The OpenAPI document as one page that a person reads, without scripts and without anything from elsewhere. */
export async function docsPage({ info, paths }: OpenApiDocument): Promise<string> {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  const page = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title}</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <h1>${info.title}</h1>
        <p>${prose(info.description)}</p>
        <p>The same for programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
        <nav>
          ${tags.map(
            (tag) =>
              html`<details>
                <summary>${tag}</summary>
                <ul>
                  ${operations.filter(({ operation }) => operation.tags.includes(tag)).map(entry)}
                </ul>
              </details>`,
          )}
        </nav>
        ${tags.map(
          (tag) =>
            html`<h2>${tag}</h2>
              ${operations.filter(({ operation }) => operation.tags.includes(tag)).map(section)}`,
        )}
      </body>
    </html>`;
  return page.toString();
}

type Described = { method: string; path: string; operation: Operation };

const heading = ({ method, path }: Described) => `${method.toUpperCase()} ${path}`;

const entry = (described: Described) =>
  html`<li>
    <a href="#${described.operation.operationId}"><code>${heading(described)}</code></a> ${described.operation.summary}
  </li>`;

function section(described: Described) {
  const { method, path, operation } = described;
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  const rows = parameters.map(
    ({ name, in: place, required, description: meaning, schema }) =>
      html`<tr>
        <td><code>${name}</code></td>
        <td>${place}${required ? "" : ", optional"}</td>
        <td>${prose(meaning ?? "")} <code>${JSON.stringify(schema)}</code></td>
      </tr>`,
  );
  const answers = Object.entries(responses).map(
    ([status, { description: meaning, content }]) =>
      html`<tr>
        <td><code>${status}</code></td>
        <td>
          ${prose(meaning)}${content["application/json"]?.example === undefined ? "" : example(content["application/json"])}
        </td>
      </tr>`,
  );
  return html`<h3 id="${operationId}"><code>${heading(described)}</code></h3>
    <p><strong>${summary}</strong><br />${prose(description)}</p>
    <pre>${curlExample(method, path, operation)}</pre>
    ${
      rows.length
        ? html`<table>
            ${rows}
          </table>`
        : ""
    }
    ${requestBody ? example(requestBody.content["application/json"]) : ""}
    <table>
      ${answers}
    </table>`;
}

const example = (content: { schema: unknown; example?: unknown } | undefined) =>
  html`<details>
    <summary>Example and schema</summary>
    <pre>${JSON.stringify(content?.example, null, 2)}</pre>
    <pre>${JSON.stringify(content?.schema, null, 2)}</pre>
  </details>`;

/** Between backticks stands code. */
const prose = (text: string) =>
  text.split("`").map((piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : piece));
