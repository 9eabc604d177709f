import type { TestSpecification } from "vitest/node";
import { BaseSequencer } from "vitest/node";

/** What takes longest begins first, so that no worker is left with it alone at the end; the order is the same in every run. */
const LONGEST = ["kill", "jobs", "partition", "sandbox", "failover", "webhooks", "inbound", "schedules", "backup"];

const rank = ({ moduleId }: TestSpecification) => {
  const [, name] = /\/tests\/([\w-]+)\.test\.ts$/.exec(moduleId) ?? [];
  if (name === undefined) return LONGEST.length + 1;
  const place = LONGEST.indexOf(name);
  return place === -1 ? LONGEST.length : place;
};

/** Stories, the longest of them first, then everything else. */
export class StoriesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}
