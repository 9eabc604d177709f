import fc from "fast-check";
import { expect, test } from "vitest";
import { boundaryOf, MultipartError, parts } from "./multipart.ts";

async function* inPieces(bytes: Buffer, sizes: readonly number[]) {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield await Promise.resolve(bytes.subarray(at, at + size));
    at += size;
  }
}

async function read(bytes: Buffer, boundary: string, sizes: readonly number[] = [7]) {
  const found: { name: string; fileName: string | undefined; content: Buffer }[] = [];
  for await (const { name, fileName, content } of parts(inPieces(bytes, sizes), boundary)) {
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk);
    found.push({ name, fileName, content: Buffer.concat(chunks) });
  }
  return found;
}

test("what a browser sends comes out as it was, in whatever pieces it travels", async () => {
  const field = fc.record({
    name: fc.string({ minLength: 1, maxLength: 10 }).filter((name) => !/[\r\n%"]/.test(name)),
    // Much of it looks like the beginning of a boundary.
    content: fc.array(fc.constantFrom("\r\n", "--", "-", "----", "a", "\0", "formdata"), { maxLength: 40 }),
    isFile: fc.boolean(),
  });
  const property = fc.asyncProperty(
    fc.array(field, { maxLength: 5 }),
    fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
    async (fields, sizes) => {
      const form = new FormData();
      for (const { name, content, isFile } of fields) {
        if (isFile) form.append(name, new Blob(content), 'berkas "1".bin');
        else form.append(name, content.join("").replaceAll(/\r\n|\r|\n/g, ""));
      }
      const request = new Request("http://localhost", { method: "POST", body: form });
      const boundary = boundaryOf(request.headers.get("content-type") ?? "") ?? "";
      const found = await read(Buffer.from(await request.arrayBuffer()), boundary, sizes);
      expect(found.map(({ name, fileName, content }) => [name, fileName, content.toString()])).toEqual(
        fields.map(({ name, content, isFile }) => [
          name,
          isFile ? 'berkas "1".bin' : undefined,
          isFile ? content.join("") : content.join("").replaceAll(/\r\n|\r|\n/g, ""),
        ]),
      );
    },
  );
  await fc.assert(property, { numRuns: 200, seed: 1 });
});

test.each([
  ["ends in the midst of a part", '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\ntext'],
  ["has a part without a name", "--b\r\ncontent-type: text/plain\r\n\r\ntext\r\n--b--"],
  ["has no boundary", "text"],
  ["is empty", ""],
  ["has headers without an end", `--b\r\n${"a".repeat(20_000)}`],
  ["has a boundary that goes on", '--bx\r\ncontent-disposition: form-data; name="a"\r\n\r\n\r\n--b--'],
])("a body that %s is refused", async (_what, text) => {
  await expect(read(Buffer.from(text), "b")).rejects.toBeInstanceOf(MultipartError);
});

test("a preamble, what comes after the end, and what nobody reads mean nothing", async () => {
  const part = (name: string) =>
    `\r\n--b\r\nContent-Disposition: form-data; name="${name}"; filename="x"\r\n\r\nisi\r\n`;
  const text = `preamble${part("a").slice(0, -2)}${part("c")}--b--\r\nrest`;
  const names: string[] = [];
  for await (const { name } of parts(inPieces(Buffer.from(text), [5]), "b")) names.push(name);
  expect(names).toEqual(["a", "c"]);
});
