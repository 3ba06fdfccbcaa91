import {
  type ApplicationSet,
  type Expansion,
  type RepoContents,
  type TemplateEngines,
  expand,
} from '@muster/appset';
import { Inject, Injectable } from '@nestjs/common';
import { type ClusterFacts, ClustersService } from '../clusters/clusters.service.ts';
import { DecisionsService } from '../generators/decisions.service.ts';
import { PluginsService } from '../generators/plugins.service.ts';
import { ProjectsService } from '../projects/projects.service.ts';
import { Renderer } from '../rendering/renderer.ts';
import { ScmService } from '../sources/scm/scm.service.ts';
import { SetRepositories } from './set-repositories.ts';

/** What a set is generated from. What is left out is read from the hub as it is now. */
export interface GenerationInput {
  set: ApplicationSet;
  /** The project of all its Applications; '' for a set that may choose one for each. */
  project: string;
  clusters?: readonly ClusterFacts[];
  /** Names of the projects that there are. */
  projects?: ReadonlySet<string>;
  repositories?: RepoContents;
}

/** From a set to what it generates. Writes nothing that anybody sees. */
@Injectable()
export class SetGeneration {
  constructor(
    @Inject(SetRepositories) private readonly repositories: SetRepositories,
    @Inject(ScmService) private readonly scm: ScmService,
    @Inject(PluginsService) private readonly plugins: PluginsService,
    @Inject(DecisionsService) private readonly decisions: DecisionsService,
    @Inject(ClustersService) private readonly clusters: ClustersService,
    @Inject(ProjectsService) private readonly projects: ProjectsService,
    @Inject(Renderer) private readonly renderer: Renderer,
  ) {}

  /** What the clusters generator sees. */
  registered(): Promise<ClusterFacts[]> {
    return this.clusters.forExpansion();
  }

  /** Throws what keeps the set from being expanded: what there is stays then. */
  async generate(input: GenerationInput, signal: AbortSignal): Promise<Expansion> {
    const { set, project } = input;
    // The renderer is loaded by the first text that needs it: a fast template needs none.
    const engines: TemplateEngines = {
      goTemplate: {
        render: async (request, end) => (await this.renderer.engines()).goTemplate.render(request, end),
        slugs: async (texts, end) => (await this.renderer.engines()).goTemplate.slugs(texts, end),
      },
      yaml: { toJson: async (texts, end) => (await this.renderer.engines()).yaml.toJson(texts, end) },
    };
    const facts = {
      applicationSet: set,
      clusters: input.clusters ?? (await this.registered()),
      projects: input.projects ?? (await this.projects.names()),
      repos: input.repositories ?? this.repositories.contents(project, signal),
      external: this.scm.external(project, engines.goTemplate, signal),
      plugins: this.plugins.calls(signal),
      resources: this.decisions.resources(),
      options: { implicitLocalCluster: false },
    };
    return expand(facts, engines, signal);
  }
}
