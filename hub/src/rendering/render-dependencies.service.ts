import { posix } from 'node:path';
import { MusterError, parseDocument } from '@muster/base';
import { sourceDecision } from '@muster/kube';
import { Inject, Injectable } from '@nestjs/common';
import { type Owner, ownerKey } from '../releases/owner.ts';
import type { DependedOn } from '../sources/depended-on.ts';
import { ChartDependenciesService } from '../sources/chart-dependencies.service.ts';
import { pickVersion } from '../sources/charts/versions.ts';
import { scopeDenial } from '../sources/repository-scope.ts';
import type { SourceTree } from '../sources/source-tree.ts';
import { type RevisionState, stateKey } from '../sources/sources.service.ts';
import {
  type MissingDependency,
  folderOf,
  localFolder,
  missingDependencies,
} from './chart-dependency-files.ts';
import type { NewCondition } from './conditions.ts';
import { once } from './once.ts';
import type { Prepared, PreparedSource, Subject } from './prepare.ts';
import type { Origin, SourceReaders } from './source-render.ts';

/** What is found while dependencies are read, by Application. */
interface Findings {
  conditions: Map<string, NewCondition[]>;
  dependencies: Map<string, DependedOn[]>;
}

interface Reading {
  rendering: Findings;
  /** Where some revisions are supposed to point. */
  revisions: ReadonlyMap<string, RevisionState> | undefined;
  signal: AbortSignal;
}

/** What charts depend on and do not bring along, for renders. */
@Injectable()
export class RenderDependencies {
  constructor(@Inject(ChartDependenciesService) private readonly charts: ChartDependenciesService) {}

  /** Reads them for one rendering: a thousand Applications of one chart look once. */
  reader({ rendering, revisions, signal }: Reading): SourceReaders['dependencies'] {
    const trees = new Map<string, Promise<MissingDependency[]>>();
    const followed = once((url: string, name: string, version: string) =>
      this.charts.followed(url, name, version),
    );
    const urlOf = once((repository: string, project: string) => this.charts.urlOf(repository, project));
    const scopeOf = once((repositoryId: string) => this.charts.scopeOf(repositoryId));
    const state = once((repositoryId: string, revision: string) =>
      this.charts.state(repositoryId, revision, signal),
    );
    const remote = async (one: MissingDependency, prepared: Prepared): Promise<Origin> => {
      const url = await urlOf(one.repository, prepared.project.name);
      const decision = sourceDecision(prepared.project, url);
      if (!decision.allowed) throw new MusterError('forbidden', decision.reason);
      const found = await followed(url, one.name, one.version);
      const scope = await scopeOf(found.repositoryId);
      const foreign = scopeDenial(url, scope, prepared.project.name);
      if (foreign) throw foreign;
      const key = stateKey(found.repositoryId, found.revision);
      const { commit, error } = revisions?.get(key) ?? (await state(found.repositoryId, found.revision));
      const all = rendering.dependencies.get(prepared.id) ?? [];
      all.push({ ...found, commit, held: !one.locked });
      rendering.dependencies.set(prepared.id, all);
      if (!commit) throw new MusterError('unavailable', error ?? 'it was not read yet');
      if (error)
        rendering.conditions
          .get(prepared.id)!
          .push({ type: 'SourceError', message: `${described(one)}: ${error}` });
      return { mount: one.folder, repositoryId: found.repositoryId, commit };
    };
    return async (prepared, placed, tree) => {
      const key = `${placed.repositoryId} ${tree.commit} ${placed.path}`;
      const missing = trees.get(key) ?? missingDependencies(tree, placed.path);
      trees.set(key, missing);
      const origins: Origin[] = [];
      let failed: unknown;
      for (const one of await missing) {
        try {
          const local = one.repository.startsWith('file://');
          origins.push(await (local ? localOrigin(one, placed, tree) : remote(one, prepared)));
        } catch (thrown) {
          signal.throwIfAborted();
          // The others are looked at all the same: what is depended on is known whole.
          failed ??= named(one, thrown);
        }
      }
      if (failed !== undefined) throw failed;
      return origins;
    };
  }

  /** Records what an owner's charts depend on: it is rendered again when that moves. */
  async record(
    owner: Owner,
    subjects: readonly Subject[],
    {
      dependencies,
      holdings,
    }: {
      dependencies: ReadonlyMap<string, DependedOn[]>;
      holdings: ReadonlyMap<string, unknown>;
    },
  ): Promise<void> {
    const found = new Map<string, DependedOn>();
    for (const one of [...dependencies.values()].flat()) {
      const key = stateKey(one.repositoryId, one.revision);
      const held = one.held && (found.get(key)?.held ?? true);
      found.set(key, { ...one, held });
    }
    // Of what could not be rendered, it is not known what it depends on.
    const all = subjects.every(({ id }) => holdings.has(id));
    await this.charts.record(owner, [...found.values()], { all, again: ownerKey(owner) });
  }
}

/** A chart in the same repository. */
async function localOrigin(
  one: MissingDependency,
  placed: PreparedSource,
  tree: SourceTree,
): Promise<Origin> {
  const folder = localFolder(placed.path, one);
  const file = posix.join(folder, 'Chart.yaml');
  const content = await (await folderOf(tree, folder)).read('Chart.yaml');
  if (!content) throw new MusterError('not-found', 'there is no chart', { where: file });
  const chart = parseDocument(content.toString('utf8'), { file });
  const version =
    chart !== null && typeof chart === 'object' && !Array.isArray(chart) ? chart['version'] : undefined;
  if (pickVersion(one.version, [String(version ?? '')]) === undefined)
    throw new MusterError('invalid', `its version ${String(version)} is not ${one.version}`, {
      where: file,
      hint: 'run helm dependency update and commit Chart.lock',
    });
  return { mount: one.folder, repositoryId: placed.repositoryId, commit: placed.state.commit, folder };
}

function described({ name, version, repository }: MissingDependency): string {
  return `the dependency ${name}${version === '' ? '' : ` ${version}`} from ${repository}`;
}

function named(one: MissingDependency, thrown: unknown): MusterError {
  const { code, message, where, hint } = MusterError.from(thrown);
  return new MusterError(code, `${described(one)}: ${message}`, {
    ...(where === undefined ? {} : { where }),
    ...(hint === undefined ? {} : { hint }),
  });
}
