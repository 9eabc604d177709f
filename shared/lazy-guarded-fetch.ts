import type { FetchedResponse, FetchRequest, GuardedFetch } from "./guarded-fetch.ts";

/** As `openGuardedFetch`. It is loaded by the first URL that is fetched: most processes' start need not wait for it. */
export function lazyGuardedFetch(allowedPrivateHosts: readonly string[]): GuardedFetch {
  let opened: Promise<GuardedFetch> | undefined;
  const open = () =>
    (opened ??= import("./guarded-fetch.ts").then(({ openGuardedFetch }) => openGuardedFetch(allowedPrivateHosts)));
  return {
    fetch: async <T>(request: FetchRequest, use: (response: FetchedResponse) => Promise<T>) =>
      await (await open()).fetch(request, use),
    close: () => void opened?.then((guarded) => guarded.close()).catch(() => undefined),
  };
}
