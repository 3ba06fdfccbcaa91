import { createHmac } from 'node:crypto';
import { type KubeObject, type Project, scopeWithDefinitions } from '@muster/kube';
import { Inject, Injectable } from '@nestjs/common';
import { addressOfSource, isRendered, nameOfSource, sourcesOf } from '../applications/application-sources.ts';
import { type Capabilities, ClustersService, type ClusterFacts } from '../clusters/clusters.service.ts';
import { Keys } from '../keys/keys.ts';
import { objectRefusals, permitsEverything } from '../projects/project-policy.ts';
import { ProjectsService } from '../projects/projects.service.ts';
import { BundlesService } from '../releases/bundles.service.ts';
import { HUB_ID, belongsToHub, hubAsCluster, isHub } from '../roots/hub-destination.ts';
import type { DependedOn } from '../sources/depended-on.ts';
import { type RevisionState, SourcesService } from '../sources/sources.service.ts';
import { isRepeated } from './combine.ts';
import { combineGroups } from './combined-renders.ts';
import { type NewCondition, errorCondition } from './conditions.ts';
import { eachOf } from './each-of.ts';
import {
  type Prepared,
  type PreparedSource,
  type Subject,
  type World,
  destinationKey,
  isPrepared,
  prepare,
} from './prepare.ts';
import { type Holding, renderGroup } from './render-group.ts';
import { type Surroundings, renderOnce } from './render-once.ts';
import { Renderer } from './renderer.ts';
import { RenderDependencies } from './render-dependencies.service.ts';
import { type SourceReaders, type SourceRender, renderKey, sourceRender } from './source-render.ts';
import { clockOf } from './source-clock.ts';
import { once } from './once.ts';

/** What rendering Applications came to, by their id. */
export interface Rendering {
  prepared: Map<string, Prepared>;
  clusters: Map<string, ClusterFacts>;
  holdings: Map<string, Holding>;
  conditions: Map<string, NewCondition[]>;
  /** Those that hold a render made with the seed of `Supposed.seedOf`. */
  seeded: Set<string>;
  /** Revisions that their charts depend on. */
  dependencies: Map<string, DependedOn[]>;
  /** Renders that were made: for the others an earlier one held. */
  made: number;
}

/** What is supposed to be otherwise than it is. */
export interface Supposed {
  /** All projects, by name. */
  projects?: ReadonlyMap<string, Project>;
  /** Where some revisions point, by `stateKey`. */
  revisions?: ReadonlyMap<string, RevisionState>;
  /**
   * Whose random seed is used instead of each Application's own: what a supposed template prints of it must not be what
   * a real one made a password of. With `orOwn`, a render that an Application has already holds for it all the same.
   */
  seedOf?: { name: string; orOwn: boolean };
}

/** A source of an Application, among those that ask the same of the same files. */
interface GroupMember {
  prepared: Prepared;
  source: PreparedSource;
}

interface Group {
  render: SourceRender;
  members: GroupMember[];
}

/** Groups rendered at once; the renderer's pool has its own bound. */
const AT_ONCE = 4;

/**
 * From Applications to their bundles: each distinct input of a source once, whatever the number of clusters that share
 * it. Stores renders and bundles, and writes nothing else: the Applications may be ones that there are not.
 */
@Injectable()
export class Renderings {
  constructor(
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(ProjectsService) private readonly projects: ProjectsService,
    @Inject(ClustersService) private readonly clusters: ClustersService,
    @Inject(BundlesService) private readonly bundles: BundlesService,
    @Inject(Renderer) private readonly renderer: Renderer,
    @Inject(Keys) private readonly keys: Keys,
    @Inject(RenderDependencies) private readonly dependencies: RenderDependencies,
  ) {}

  /** What the hub knows of all that Applications name. */
  async #world(subjects: readonly Subject[], supposed: Supposed): Promise<World> {
    const destinations = new Map(
      subjects.map(({ manifest }) => [destinationKey(manifest), manifest.spec?.destination ?? {}]),
    );
    const urls = subjects.flatMap(({ manifest }) => sourcesOf(manifest).map(addressOfSource));
    const repositories = await this.sources.known(urls);
    const ids = [...new Set(repositories.values())];
    const [projects, scopes, tracked, found] = await Promise.all([
      supposed.projects ?? this.projects.byName(),
      this.sources.projectsOf(ids),
      this.sources.states(ids),
      this.clusters.resolveDestinations([...destinations.values()]),
    ]);
    const revisions = new Map([...tracked, ...(supposed.revisions ?? [])]);
    const clusters = new Map<string, ClusterFacts>();
    [...destinations].forEach(([key, destination], i) => {
      // The hub itself, where a destination says so or no cluster is registered as the local one.
      const hub = hubAsCluster(destination);
      const cluster = hub && isHub(destination) ? hub : (found[i] ?? hub);
      if (cluster) clusters.set(key, cluster);
    });
    const { impersonation } = this.projects;
    return { projects, repositories, scopes, revisions, clusters, impersonation };
  }

  /** Finds or makes the bundle of each Application. What cannot be rendered has conditions and no holding. */
  async render(subjects: readonly Subject[], supposed: Supposed, signal: AbortSignal): Promise<Rendering> {
    const world = await this.#world(subjects, supposed);
    const rendering: Rendering = {
      prepared: new Map(),
      clusters: new Map(),
      holdings: new Map(),
      conditions: new Map(),
      seeded: new Set(),
      dependencies: new Map(),
      made: 0,
    };
    for (const subject of subjects) {
      const found = prepare(subject, world);
      rendering.conditions.set(subject.id, found.conditions);
      if (found.cluster) rendering.clusters.set(subject.id, found.cluster);
      if (isPrepared(found)) rendering.prepared.set(subject.id, found);
    }
    const parts = new Map<string, Holding[]>();
    const groups = await this.#group(rendering, supposed, signal);
    await eachOf(groups, AT_ONCE, (group) => this.#renderGroup(group, parts, rendering, supposed, signal));
    await this.#combine(rendering, parts, signal);
    await this.#enforceProjects(rendering);
    signal.throwIfAborted();
    return rendering;
  }

  /** Sources that ask the same of the same commits, together. */
  async #group(rendering: Rendering, supposed: Supposed, signal: AbortSignal): Promise<Group[]> {
    const groups = new Map<string, Group>();
    // Ten thousand Applications of one folder look at it once.
    const tree = once((repositoryId: string, commit: string) =>
      this.sources.tree(repositoryId, commit, signal),
    );
    const files = once(async (repositoryId: string, commit: string, path: string) => {
      const entries = (await (await tree(repositoryId, commit)).list(path)) ?? [];
      return new Set(entries.filter(({ kind }) => kind === 'file').map(({ name }) => name));
    });
    const rendererVersion = once(() => this.renderer.version());
    const dependencies = this.dependencies.reader({ rendering, revisions: supposed.revisions, signal });
    const readers: SourceReaders = { tree, files, rendererVersion, dependencies, tools: new Map() };
    for (const prepared of rendering.prepared.values())
      for (const source of prepared.sources.filter((one) => isRendered(one.source))) {
        try {
          const render = await sourceRender(prepared, source, readers);
          const key = renderKey(render);
          const group = groups.get(key);
          if (group) group.members.push({ prepared, source });
          else groups.set(key, { render, members: [{ prepared, source }] });
        } catch (thrown) {
          signal.throwIfAborted();
          fail(rendering, { prepared, source }, thrown);
        }
      }
    return [...groups.values()];
  }

  async #renderGroup(
    { render, members }: Group,
    parts: Map<string, Holding[]>,
    rendering: Rendering,
    supposed: Supposed,
    signal: AbortSignal,
  ): Promise<void> {
    const { input } = render;
    const run = this.renderer.render.bind(this.renderer);
    try {
      const [tree, capabilities, earlier] = await Promise.all([
        render.tree(),
        this.clusters.capabilities([...new Set(members.map(({ prepared }) => prepared.cluster.id))]),
        this.bundles.renders([input.key]),
      ]);
      const clock = clockOf(render, (repositoryId, commit, paths) =>
        this.sources.lastTouched(repositoryId, commit, paths, signal),
      );
      const asked = members.map((member, i) => ({
        id: String(i),
        around: this.#around(member, capabilities, supposed, clock),
      }));
      const { holdings, errors } = await renderGroup(input, tree, asked, earlier, {
        render: (one, from, around) => renderOnce(one, from, around, run, signal),
        store: (bundle, made) => {
          rendering.made++;
          return this.bundles.store(bundle, made);
        },
      });
      signal.throwIfAborted();
      members.forEach((member, i) => {
        const { prepared, source } = member;
        const holding = holdings.get(String(i));
        if (!holding) return fail(rendering, member, errors.get(String(i)));
        const all = parts.get(prepared.id) ?? [];
        all[source.position] = holding;
        if (supposed.seedOf && holding.asked.random === supposed.seedOf.name)
          rendering.seeded.add(prepared.id);
        parts.set(prepared.id, all);
      });
    } catch (thrown) {
      signal.throwIfAborted();
      for (const member of members) fail(rendering, member, thrown);
    }
  }

  #around(
    { prepared }: GroupMember,
    capabilities: ReadonlyMap<string, Capabilities>,
    { seedOf }: Supposed,
    clock: Surroundings['clockOf'],
  ): Surroundings {
    const { namespace, name } = prepared.application.metadata;
    const own = `${namespace}/${name}`;
    const application = seedOf?.name ?? own;
    const { renderSeed } = this.keys;
    return {
      application,
      ...(seedOf?.orOwn ? { also: own } : {}),
      // Of ten thousand that share a render, one is rendered.
      get seed() {
        return createHmac('sha256', renderSeed).update(application).digest();
      },
      capabilities: capabilities.get(prepared.cluster.id),
      clockOf: clock,
    };
  }

  /** An Application holds what all its sources hold together. */
  async #combine(
    rendering: Rendering,
    parts: ReadonlyMap<string, Holding[]>,
    signal: AbortSignal,
  ): Promise<void> {
    const several = [];
    for (const [id, prepared] of rendering.prepared) {
      const wanted = prepared.sources.filter((one) => isRendered(one.source));
      const found = wanted.flatMap((source) => {
        const holding = parts.get(id)?.[source.position];
        return holding ? [{ where: source.where, holding }] : [];
      });
      if (found.length < wanted.length) continue;
      if (found.length === 1) rendering.holdings.set(id, found[0]!.holding);
      else {
        const namespace = prepared.application.spec.destination.namespace ?? '';
        several.push({ id, namespace, parts: found });
      }
    }
    const { holdings, errors } = await combineGroups(several, this.bundles, signal);
    for (const [id, holding] of holdings) rendering.holdings.set(id, holding);
    for (const [id, thrown] of errors)
      rendering.conditions.get(id)!.push(errorCondition('RenderError', thrown));
  }

  /** What the project does not allow among rendered objects keeps the last good release too. */
  async #enforceProjects(rendering: Rendering): Promise<void> {
    const objects = new Map<string, Promise<KubeObject[]>>();
    for (const [id, holding] of rendering.holdings) {
      for (const message of holding.notices)
        rendering.conditions.get(id)!.push({ type: typeOf(message), message });
      const { project, cluster, application } = rendering.prepared.get(id)!;
      // Whether a root may write its children is decided for each of them: roots/.
      if (permitsEverything(project) || cluster.id === HUB_ID) continue;
      let found = objects.get(holding.bundleDigest);
      if (!found) {
        found = this.bundles.objects(holding.bundleDigest);
        objects.set(holding.bundleDigest, found);
      }
      const all = (await found).filter((object) => !belongsToHub(application.spec.destination, object));
      const namespace = application.spec.destination.namespace ?? '';
      const refusals = objectRefusals(project, cluster, all, namespace, scopeWithDefinitions(all));
      if (refusals.length === 0) continue;
      rendering.holdings.delete(id);
      const shown =
        refusals.slice(0, 5).join('; ') + (refusals.length > 5 ? `; and ${refusals.length - 5} more` : '');
      rendering.conditions.get(id)!.push({ type: 'ProjectDenied', message: shown });
    }
  }
}

/** Why a source was not rendered, named where there are several. */
function fail(rendering: Rendering, { prepared, source }: GroupMember, thrown: unknown): void {
  const condition = errorCondition('RenderError', thrown);
  const name = nameOfSource(source);
  const said = source.where === 'spec.source' || condition.message.startsWith(source.where);
  rendering.conditions
    .get(prepared.id)!
    .push(said ? condition : { ...condition, message: `${name}: ${condition.message}` });
}

/** The condition that a render's notice becomes. */
function typeOf(notice: string): string {
  if (notice.startsWith('hook left out')) return 'HookIgnored';
  return isRepeated(notice) ? 'RepeatedResourceWarning' : 'RenderNotice';
}
