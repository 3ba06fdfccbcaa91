import { MusterError } from '@muster/base';
import { groupKindString, keyOf, type KubeObject } from '../object.ts';
import { redact } from '../redact.ts';
import type { HealthSetting } from '../system-settings.ts';
import { BoundedWorker, type BoundedWorkerOptions, workerBeside } from '../worker/bounded-worker.ts';
import { type Health, unknown } from './status.ts';

/** One object to judge by one setting. */
export interface HealthJob {
  /** `group/Kind`, core kinds by the bare Kind. */
  key: string;
  setting: HealthSetting;
  object: KubeObject;
}

/** Null: a kind without a check. */
export type HealthAnswer = Health | null;

/** Users' health checks of this cluster, run in a worker of their own while there are any. */
export class HealthChecks {
  readonly #worker: BoundedWorker<HealthJob, HealthAnswer>;
  #settings = new Map<string, HealthSetting>();

  constructor(options: BoundedWorkerOptions = {}) {
    this.#worker = new BoundedWorker(workerBeside(import.meta.url, 'health-worker'), options);
  }

  /** Takes the settings by `group/Kind`, and answers the kinds whose check is another one than before. */
  use(settings: ReadonlyMap<string, HealthSetting>): Set<string> {
    const changed = new Set<string>();
    for (const key of new Set([...settings.keys(), ...this.#settings.keys()])) {
      if (JSON.stringify(settings.get(key)) !== JSON.stringify(this.#settings.get(key))) changed.add(key);
    }
    this.#settings = new Map(settings);
    return changed;
  }

  /** Whether an object's kind has a check of the user. */
  has(object: KubeObject): boolean {
    return this.#settings.size > 0 && this.#settings.has(groupKindString(keyOf(object)));
  }

  /**
   * Judges an object by the user's check of its kind, or as ever where there is none. Of a Secret a check sees the keys,
   * not the values. Never throws but for the signal.
   */
  async assess(object: KubeObject, signal?: AbortSignal): Promise<HealthAnswer> {
    const key = groupKindString(keyOf(object));
    try {
      const job = { key, setting: this.#settings.get(key) ?? {}, object: redact(object) };
      return await this.#worker.run(job, signal);
    } catch (thrown) {
      signal?.throwIfAborted();
      return unknown(`the health check of ${key} ${MusterError.from(thrown).message}`);
    }
  }

  close(): Promise<void> {
    return this.#worker.close();
  }
}
