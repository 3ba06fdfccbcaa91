import { DEPENDS_ON_ANNOTATION } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { SupposedSets } from '../applicationsets/supposed-sets.service.ts';
import {
  DependencyCycles,
  type SupposedApplication,
} from '../rollouts/dependencies/dependency-cycles.service.ts';
import type { Trx } from '../store/schema.ts';
import { asStored } from './application-records.service.ts';
import type { CheckedDocument } from './documents.ts';

/** Longer than this nobody waits for `muster apply`: the expansion of the set says the same later. */
const GENERATE_MS = 10_000;

/** Refuses documents by which something would wait for itself. */
@Injectable()
export class AppliedDependencies {
  constructor(
    @Inject(SupposedSets) private readonly sets: SupposedSets,
    @Inject(DependencyCycles) private readonly cycles: DependencyCycles,
  ) {}

  /** After the documents were written, in their transaction. Throws `invalid` with the cycle spelled out. */
  async refuse(trx: Trx, documents: readonly CheckedDocument[]): Promise<void> {
    const named = (wanted: CheckedDocument['kind']) => documents.filter(({ kind }) => kind === wanted);
    const changed = {
      policies: new Set(named('RolloutPolicy').map(({ name }) => name)),
      sets: new Set(named('ApplicationSet').map(({ namespace, name }) => `${namespace}/${name}`)),
    };
    if (changed.policies.size + changed.sets.size === 0) return;
    const applications: SupposedApplication[] = [];
    const byPolicy = changed.sets.size > 0 ? await this.cycles.waitingByPolicy(trx) : new Set<string>();
    for (const document of documents)
      if (document.kind === 'ApplicationSet')
        applications.push(...(await this.#generated(document, byPolicy)));
    await this.cycles.refuse(trx, applications, changed);
  }

  /** Its Applications do not exist yet; those of sets that wait for nothing are not needed. */
  async #generated(
    { namespace, name, checked }: Extract<CheckedDocument, { kind: 'ApplicationSet' }>,
    byPolicy: ReadonlySet<string>,
  ): Promise<SupposedApplication[]> {
    const set = `${namespace}/${name}`;
    if (!byPolicy.has(set) && !JSON.stringify(checked.set.spec).includes(DEPENDS_ON_ANNOTATION)) return [];
    const supposed = await this.sets.applied(namespace, checked);
    const found = await this.sets.generated(supposed, AbortSignal.timeout(GENERATE_MS));
    return (found ?? []).map((application) => ({
      manifest: asStored(application, namespace).manifest,
      set,
    }));
  }
}
