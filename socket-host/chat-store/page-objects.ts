import { randomBytes } from "node:crypto";
import type { Log } from "../../shared/log.ts";
import type { LogOwner } from "../device-state/log.ts";
import { seal, unseal } from "../device-state/seal.ts";
import type { PageCache } from "./page-cache.ts";
import { describePage, packPage, unpackPage } from "./page.ts";
import type { MessageText, Page } from "./page.ts";

type Options = LogOwner & { cache: PageCache; log: Log };

/**
 * The pages of one device in the bucket. A page has a new random name and is never changed; it counts only while a record
 * of the device state names it. So whatever a former owner still writes is seen by nobody. The name begins with the
 * epoch: what an earlier owner left without a record can be told from what is just being written.
 */
export class PageObjects {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Stores a page; it must be named in the device state to count. Throws when the store fails. */
  async write(messages: readonly MessageText[]): Promise<Page> {
    const { storage, key, epoch } = this.#options;
    const name = `${epoch}-${randomBytes(12).toString("hex")}`;
    const object = this.#object(name);
    // "exists": the reply to an earlier attempt was lost, for nobody else writes under this name.
    await storage.createIfAbsent(object, seal(key, object, await packPage(messages)));
    return describePage(name, messages, Date.now());
  }

  /**
   * The body of a page. A page that is gone or cannot be opened is empty, and the log says so: one damaged object must not
   * take the whole history away. Rejects when the store fails.
   */
  async read({ name }: Page): Promise<Buffer> {
    const { storage, key, cache, log } = this.#options;
    const object = this.#object(name);
    return await cache.get(object, async () => {
      const stored = await storage.get(object);
      try {
        if (stored) return await unpackPage(unseal(key, object, stored.body));
      } catch (err) {
        log.error({ err, object }, "a page of the chat store cannot be read");
        return Buffer.alloc(0);
      }
      log.error({ object }, "a page of the chat store is missing");
      return Buffer.alloc(0);
    });
  }

  async remove(names: readonly string[]): Promise<void> {
    await this.#options.storage.delete(names.map((name) => this.#object(name)));
  }

  /** Removes what earlier owners wrote and no record names. Such an owner has been fenced, so no record will come. */
  async removeLeftovers(named: ReadonlySet<string>): Promise<void> {
    const { storage, epoch } = this.#options;
    const prefix = this.#object("");
    const names = (await storage.list(prefix)).map((object) => object.slice(prefix.length));
    await this.remove(names.filter((name) => Number.parseInt(name, 10) < epoch && !named.has(name)));
  }

  #object(name: string): string {
    return `${this.#options.prefix}chats/${name}`;
  }
}
