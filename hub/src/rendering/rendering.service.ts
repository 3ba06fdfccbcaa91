import { createHmac } from 'node:crypto';
import { type Outcome, done } from '@muster/base';
import { type KubeObject, type Project, scopeWithDefinitions } from '@muster/kube';
import { Inject, Injectable } from '@nestjs/common';
import type { ApplicationRecord } from '../applications/application-records.service.ts';
import { type Capabilities, ClustersService, type ClusterFacts } from '../clusters/clusters.service.ts';
import { Keys } from '../keys/keys.ts';
import { objectRefusals } from '../projects/project-policy.ts';
import { ProjectsService } from '../projects/projects.service.ts';
import type { JobContext } from '../queue/jobs.ts';
import { BundlesService } from '../releases/bundles.service.ts';
import type { Owner } from '../releases/owner.ts';
import { type RevisionState, SourcesService } from '../sources/sources.service.ts';
import { type NewCondition, errorCondition } from './conditions.ts';
import { eachOf } from './each-of.ts';
import { OwnerRelease } from './owner-release.service.ts';
import { type Prepared, type World, destinationKey, isPrepared, prepare } from './prepare.ts';
import { type Holding, type Member, renderGroup } from './render-group.ts';
import { type RenderInput, renderInput } from './render-input.ts';
import { renderOnce } from './render-once.ts';
import { Renderer } from './renderer.ts';
import { toolOf } from './tool.ts';

/** What rendering an owner's Applications came to, by Application id. */
export interface Rendering {
  prepared: Map<string, Prepared>;
  clusters: Map<string, ClusterFacts>;
  holdings: Map<string, Holding>;
  conditions: Map<string, NewCondition[]>;
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

interface Group {
  input: RenderInput;
  members: Prepared[];
}

/** Groups rendered at once; the renderer's pool has its own bound. */
const AT_ONCE = 4;

/** Renders the Applications of an owner: each distinct input once, whatever the number of clusters that share it. */
@Injectable()
export class RenderingService {
  constructor(
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(ProjectsService) private readonly projects: ProjectsService,
    @Inject(ClustersService) private readonly clusters: ClustersService,
    @Inject(BundlesService) private readonly bundles: BundlesService,
    @Inject(Renderer) private readonly renderer: Renderer,
    @Inject(Keys) private readonly keys: Keys,
    @Inject(OwnerRelease) private readonly release: OwnerRelease,
  ) {}

  /** From an owner's Applications to a release of them. Whatever cannot be rendered keeps its last good release. */
  async render(owner: Owner, context: JobContext): Promise<Outcome> {
    const records = await this.release.load(owner);
    const staying = records.filter(({ row }) => row.leaving_at === null && row.tombstoned_at === null);
    const rendering = await this.applications(staying, {}, context.signal);
    await this.release.finish(owner, records, rendering, context);
    return done;
  }

  /**
   * What rendering Applications comes to, as things are or as they are supposed to be. Writes nothing but renders and
   * bundles, which are addressed by content: those that nothing refers to are swept.
   */
  async applications(
    records: readonly ApplicationRecord[],
    supposed: Supposed,
    signal: AbortSignal,
  ): Promise<Rendering> {
    const world = await this.#world(records, supposed);
    const rendering = this.#prepare(records, world);
    const groups = await this.#group(rendering, signal);
    await eachOf(groups, AT_ONCE, (group) => this.#renderGroup(group, rendering, supposed, signal));
    await this.#enforceProjects(rendering);
    signal.throwIfAborted();
    return rendering;
  }

  async #world(records: readonly ApplicationRecord[], supposed: Supposed): Promise<World> {
    const destinations = new Map(
      records.map(({ manifest }) => [destinationKey(manifest), manifest.spec?.destination ?? {}]),
    );
    const repositories = new Set(
      records.flatMap(({ row }) => (row.repository_id ? [row.repository_id] : [])),
    );
    const [projects, tracked] = await Promise.all([
      supposed.projects ?? this.projects.byName(),
      this.sources.states([...repositories]),
    ]);
    const revisions = new Map([...tracked, ...(supposed.revisions ?? [])]);
    const clusters = new Map<string, ClusterFacts>();
    await eachOf([...destinations], 8, async ([key, destination]) => {
      const cluster = await this.clusters.resolveDestination(destination);
      if (cluster) clusters.set(key, cluster);
    });
    return { projects, revisions, clusters };
  }

  #prepare(records: readonly ApplicationRecord[], world: World): Rendering {
    const rendering: Rendering = {
      prepared: new Map(),
      clusters: new Map(),
      holdings: new Map(),
      conditions: new Map(),
    };
    for (const record of records) {
      const found = prepare(record, world);
      rendering.conditions.set(record.row.id, found.conditions);
      if (found.cluster) rendering.clusters.set(record.row.id, found.cluster);
      if (isPrepared(found)) rendering.prepared.set(record.row.id, found);
    }
    return rendering;
  }

  /** Applications that ask the same of the same commit, together. */
  async #group(rendering: Rendering, signal: AbortSignal): Promise<Group[]> {
    const groups = new Map<string, Group>();
    const tools = new Map<string, ReturnType<typeof toolOf>>();
    for (const [id, found] of rendering.prepared) {
      try {
        const { source, path, repositoryId, application } = found;
        const { commit } = found.state;
        const toolKey = `${repositoryId} ${commit} ${path} ${['helm', 'kustomize', 'directory'].find((tool) => source[tool])}`;
        let tool = tools.get(toolKey);
        if (!tool) {
          tool = this.sources.tree(repositoryId, commit, signal).then((tree) => toolOf(tree, path, source));
          tools.set(toolKey, tool);
        }
        const rendererVersion = (await tool) === 'directory' ? '' : await this.renderer.version();
        await this.#noteOverrides(found, rendering, signal);
        const input = renderInput({
          application,
          source,
          tool: await tool,
          path,
          repositoryId,
          commit,
          rendererVersion,
        });
        const key = `${input.key} ${commit}`;
        const group = groups.get(key);
        if (group) group.members.push(found);
        else groups.set(key, { input, members: [found] });
      } catch (thrown) {
        signal.throwIfAborted();
        rendering.conditions.get(id)!.push(errorCondition('RenderError', thrown));
      }
    }
    return [...groups.values()];
  }

  /** Argo CD merges these files into the source; here they have no effect yet, which must not go unseen. */
  async #noteOverrides(
    { record, path, repositoryId, state }: Prepared,
    rendering: Rendering,
    signal: AbortSignal,
  ): Promise<void> {
    const tree = await this.sources.tree(repositoryId, state.commit, signal);
    for (const name of ['.argocd-source.yaml', `.argocd-source-${record.row.name}.yaml`]) {
      const file = path === '' ? name : `${path}/${name}`;
      if ((await tree.kind(file)) !== 'file') continue;
      rendering.conditions
        .get(record.row.id)!
        .push({ type: 'UnsupportedField', message: `${file} has no effect yet` });
    }
  }

  async #renderGroup(
    { input, members }: Group,
    rendering: Rendering,
    supposed: Supposed,
    signal: AbortSignal,
  ): Promise<void> {
    const { repositoryId, state } = members[0]!;
    const render = this.renderer.render.bind(this.renderer);
    try {
      const [tree, capabilities, earlier] = await Promise.all([
        this.sources.tree(repositoryId, state.commit, signal),
        this.clusters.capabilities([...new Set(members.map((member) => member.cluster.id))]),
        this.bundles.renders([input.key]),
      ]);
      const asked = members.map((member) => this.#member(member, capabilities, supposed, signal));
      const { holdings, errors } = await renderGroup(input, tree, asked, earlier, {
        render: (one, from, around) => renderOnce(one, from, around, render, signal),
        store: (bundle, made) => this.bundles.store(bundle, made),
      });
      signal.throwIfAborted();
      for (const [id, holding] of holdings) rendering.holdings.set(id, holding);
      for (const [id, thrown] of errors)
        rendering.conditions.get(id)!.push(errorCondition('RenderError', thrown));
    } catch (thrown) {
      signal.throwIfAborted();
      for (const member of members)
        rendering.conditions.get(member.record.row.id)!.push(errorCondition('RenderError', thrown));
    }
  }

  #member(
    { record, cluster, repositoryId, state, path }: Prepared,
    capabilities: ReadonlyMap<string, Capabilities>,
    { seedOf }: Supposed,
    signal: AbortSignal,
  ): Member {
    const own = `${record.row.namespace}/${record.row.name}`;
    const application = seedOf?.name ?? own;
    const clocks = new Map<string, Promise<Date | undefined>>();
    return {
      id: record.row.id,
      around: {
        application,
        ...(seedOf?.orOwn ? { also: own } : {}),
        seed: createHmac('sha256', this.keys.renderSeed).update(application).digest(),
        capabilities: capabilities.get(cluster.id),
        clockOf: (reads) => {
          const paths = Object.keys(reads.files);
          const key = paths.join('\0');
          let clock = clocks.get(key);
          if (!clock) {
            // A chart of ten thousand files: its folder says the same in one argument.
            const asked = paths.length === 0 || paths.length > 500 ? [path || '.'] : paths;
            clock = this.sources.lastTouched(repositoryId, state.commit, asked, signal);
            clocks.set(key, clock);
          }
          return clock;
        },
      },
    };
  }

  /** What the project does not allow among rendered objects keeps the last good release too. */
  async #enforceProjects(rendering: Rendering): Promise<void> {
    const objects = new Map<string, Promise<KubeObject[]>>();
    for (const [id, holding] of rendering.holdings) {
      for (const message of holding.notices) {
        rendering.conditions
          .get(id)!
          .push({ type: message.startsWith('hook left out') ? 'HookIgnored' : 'RenderNotice', message });
      }
      const { project, cluster, application } = rendering.prepared.get(id)!;
      if (allowsEverything(project.spec)) continue;
      let found = objects.get(holding.bundleDigest);
      if (!found) {
        found = this.bundles.objects(holding.bundleDigest);
        objects.set(holding.bundleDigest, found);
      }
      const all = await found;
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

/** True for projects such as `default`, whose objects need not be looked at. */
function allowsEverything(spec: Prepared['project']['spec']): boolean {
  return (
    spec.destinations?.length === 1 &&
    spec.destinations[0]!.namespace === '*' &&
    (spec.destinations[0]!.server === '*' || spec.destinations[0]!.name === '*') &&
    (spec.clusterResourceWhitelist ?? []).some(
      ({ group, kind, name }) => group === '*' && kind === '*' && !name,
    ) &&
    !spec.clusterResourceBlacklist?.length &&
    !spec.namespaceResourceBlacklist?.length &&
    !spec.namespaceResourceWhitelist
  );
}
