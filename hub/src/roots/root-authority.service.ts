import { Inject, Injectable } from '@nestjs/common';
import { ProjectsService } from '../projects/projects.service.ts';
import { permitsEverything } from '../projects/project-policy.ts';
import type { Authority } from './child.ts';
import { RootsRepository } from './roots.repository.ts';

/** Roots below roots below roots: as deep as this, counted from the outermost. */
export const MAX_DEPTH = 8;

/** What a root may do, and which roots are above it. */
export interface Standing {
  authority: Authority;
  /** From the nearest to the outermost. */
  ancestors: string[];
}

const NOBODY: Authority = { actor: 'nobody known', operatorIn: [], admin: false };

/** Whose rights a root acts with: docs/decisions/0025-a-root-acts-for-who-applied-it.md. */
@Injectable()
export class RootAuthority {
  constructor(
    @Inject(RootsRepository) private readonly repository: RootsRepository,
    @Inject(ProjectsService) private readonly projects: ProjectsService,
  ) {}

  /** Of the outermost root, or the set that made it, narrowed by the project of every root on the way. */
  async of(rootId: string): Promise<Standing> {
    const projects = await this.projects.byName();
    const chain: string[] = [];
    let authority: Authority | undefined;
    const only = new Set<string>();
    for (let id: string | null = rootId; id !== null && chain.length <= MAX_DEPTH + 1; ) {
      chain.push(id);
      const parents = await this.repository.parents(id);
      if (!parents) break;
      const project = projects.get(parents.project);
      // One that permits less than everything holds nothing but its own.
      if (!project || !permitsEverything(project)) only.add(parents.project);
      const above: string | null = parents.rootId ?? parents.setRootId;
      if (above === null) authority = await this.repository.authority(parents.setId ?? id);
      id = above !== null && !chain.includes(above) ? above : null;
    }
    return { authority: narrow(authority ?? NOBODY, [...only]), ancestors: chain.slice(1) };
  }
}

/** `only`: the projects on the way that hold nothing but their own. */
function narrow(authority: Authority, only: readonly string[]): Authority {
  const [project, ...others] = only;
  if (project === undefined) return authority;
  const may = authority.operatorIn === '*' || authority.operatorIn.includes(project);
  return { actor: authority.actor, operatorIn: may && others.length === 0 ? [project] : [], admin: false };
}
