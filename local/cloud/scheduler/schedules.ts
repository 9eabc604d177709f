import { DueHeap } from "../sqs/due-heap.ts";
import { OrderedMap } from "../s3/ordered-map.ts";
import type { PayloadLocation } from "../store/data-file.ts";
import type { Captured } from "../store/snapshot.ts";
import { dueAt } from "./due-at.ts";
import type { Precision } from "./due-at.ts";
import type { Retry, ScheduleId, SchedulerRecord, StoredSchedule } from "./records.ts";

/** A schedule in memory; its input stays on disk. */
export type Schedule = StoredSchedule & {
  input: PayloadLocation | undefined;
  /** When the target is to be invoked, in Unix milliseconds. */
  dueAt: number | undefined;
};

export type Group = { name: string; createdAt: number; schedules: OrderedMap<Schedule> };

/** Every account has it, and it cannot be deleted (user guide, "Managing a schedule group"). */
export const DEFAULT_GROUP = "default";

type Done = { request: string; until: number };

/** All groups and schedules: what the journal's records of the Scheduler add up to. */
export class Schedules {
  readonly groups = new OrderedMap<Group>();
  /** In the order of `until`. */
  readonly #tokens = new Map<string, Done>();
  readonly #now: () => number;
  readonly #precision: Precision;
  readonly #agenda = new DueHeap<Schedule>();
  #size = 0;
  #onAgenda: () => void = () => undefined;

  constructor(now: () => number, precision: Precision) {
    this.#now = now;
    this.#precision = precision;
    this.groups.set(DEFAULT_GROUP, { name: DEFAULT_GROUP, createdAt: now(), schedules: new OrderedMap() });
  }

  get({ group, name }: ScheduleId): Schedule | undefined {
    return this.groups.get(group)?.schedules.get(name);
  }

  get size(): number {
    return this.#size;
  }

  /** More than there are schedules: some are out of date. */
  get agendaEntries(): number {
    return this.#agenda.size;
  }

  /** When the first schedule is due, or sooner. */
  get nextDueAt(): number | undefined {
    return this.#agenda.nextAt;
  }

  /** `listener` is called whenever `nextDueAt` may have changed. */
  onAgenda(listener: () => void): void {
    this.#onAgenda = listener;
  }

  /** Removes and gives at most `max` schedules that are due, the earliest first. */
  takeDue(max: number): Schedule[] {
    const now = this.#now();
    const due: Schedule[] = [];
    while (due.length < max) {
      const schedule = this.#agenda.takeDue(now);
      if (!schedule) break;
      const current = this.get(schedule) === schedule && schedule.dueAt !== undefined && schedule.dueAt <= now;
      if (current && !due.includes(schedule)) due.push(schedule);
    }
    return due;
  }

  /** Puts a schedule that was taken into the agenda again. */
  putBack(schedule: Schedule): void {
    if (this.get(schedule) === schedule) this.#addToAgenda(schedule);
  }

  /** What a request with this token asked for, if it was done a short time ago. */
  doneWith(token: string): string | undefined {
    const done = this.#tokens.get(token);
    return done && done.until > this.#now() ? done.request : undefined;
  }

  /** Frees the client tokens whose time is over. */
  forgetOld(): void {
    const now = this.#now();
    for (const [token, { until }] of this.#tokens) {
      if (until > now) break;
      this.#tokens.delete(token);
    }
  }

  apply(record: SchedulerRecord, payload: PayloadLocation | undefined): void {
    switch (record.type) {
      case "scheduler.group": {
        const { name, createdAt } = record;
        const schedules = this.groups.get(name)?.schedules ?? new OrderedMap<Schedule>();
        return this.groups.set(name, { name, createdAt, schedules });
      }
      case "scheduler.groupDeleted":
        this.#size -= this.groups.get(record.name)?.schedules.size ?? 0;
        this.groups.delete(record.name);
        return this.#tidyAgenda();
      case "scheduler.schedule":
        return this.#set(record, payload);
      case "scheduler.deleted":
        return this.#delete(record);
      case "scheduler.advanced":
        return this.#change(record, { ...(record.nextAt !== undefined && { nextAt: record.nextAt }) });
      case "scheduler.failed": {
        const nextAt = this.get(record)?.nextAt;
        return this.#change(record, { retry: record.retry, ...(nextAt !== undefined && { nextAt }) });
      }
      case "scheduler.token":
        return this.#remember(record.token, record);
    }
  }

  /** Of a schedule only its next time and its retry change, while the snapshot is written: they are copied. */
  capture(): Iterable<Captured<SchedulerRecord>> {
    const facts: SchedulerRecord[] = [];
    const captured: CapturedSchedule[] = [];
    for (const [, { name, createdAt, schedules }] of this.groups.entriesFrom("")) {
      facts.push({ type: "scheduler.group", name, createdAt });
      for (const [, schedule] of schedules.entriesFrom("")) {
        captured.push({ schedule, nextAt: schedule.nextAt, retry: schedule.retry });
      }
    }
    for (const [token, { request, until }] of this.#tokens) {
      facts.push({ type: "scheduler.token", token, request, until });
    }
    return capturedRecords(facts, captured);
  }

  #set({ type: _type, ...stored }: { type: string } & StoredSchedule, input: PayloadLocation | undefined): void {
    // The group may be deleted between the decision and its commit.
    const schedules = this.groups.get(stored.group)?.schedules;
    if (!schedules) return;
    if (!schedules.get(stored.name)) this.#size += 1;
    const schedule = toSchedule(stored, input, dueAt(stored, this.#precision));
    schedules.set(stored.name, schedule);
    this.#addToAgenda(schedule);
  }

  #delete({ group, name }: ScheduleId): void {
    const schedules = this.groups.get(group)?.schedules;
    if (!schedules?.get(name)) return;
    schedules.delete(name);
    this.#size -= 1;
    this.#tidyAgenda();
  }

  #change(id: ScheduleId, { nextAt, retry }: Pick<StoredSchedule, "nextAt" | "retry">): void {
    const schedule = this.get(id);
    if (!schedule) return;
    schedule.nextAt = nextAt;
    schedule.retry = retry;
    schedule.dueAt = dueAt(schedule, this.#precision);
    this.#addToAgenda(schedule);
  }

  #addToAgenda(schedule: Schedule): void {
    if (schedule.dueAt === undefined) return;
    this.#agenda.add(schedule.dueAt, schedule);
    this.#tidyAgenda();
    this.#onAgenda();
  }

  #tidyAgenda(): void {
    this.#agenda.tidy(this.#size, (schedule, at) => this.get(schedule) === schedule && schedule.dueAt === at);
  }

  #remember(token: string, { request, until }: Done): void {
    this.forgetOld();
    this.#tokens.delete(token);
    if (until > this.#now()) this.#tokens.set(token, { request, until });
  }
}

/** Written out, absent fields too: an object that is made otherwise, or that loses a field, takes twice the memory. */
function toSchedule(stored: StoredSchedule, input: PayloadLocation | undefined, dueAt: number | undefined): Schedule {
  const { group, name, definition, createdAt, modifiedAt, anchor, nextAt, retry } = stored;
  return { group, name, definition, createdAt, modifiedAt, anchor, nextAt, retry, input, dueAt };
}

type CapturedSchedule = { schedule: Schedule; nextAt: number | undefined; retry: Retry | undefined };

function* capturedRecords(
  facts: readonly SchedulerRecord[],
  captured: readonly CapturedSchedule[],
): Generator<Captured<SchedulerRecord>> {
  for (const record of facts) yield { record };
  for (const { schedule, nextAt, retry } of captured) {
    const { group, name, definition, createdAt, modifiedAt, anchor, input } = schedule;
    const stored: StoredSchedule = { group, name, definition, createdAt, modifiedAt, anchor, nextAt, retry };
    const record: SchedulerRecord = { type: "scheduler.schedule", ...stored };
    yield input ? { record, payload: input } : { record };
  }
}
