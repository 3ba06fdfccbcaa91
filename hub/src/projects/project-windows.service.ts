import type { SyncWindow } from '@muster/kube';
import { Inject, Injectable } from '@nestjs/common';
import { type TargetIds, keyOfTarget } from '../releases/targets.ts';
import type { Trx } from '../store/schema.ts';
import { storedProject } from './project-manifest.ts';
import { windowsOn } from './project-policy.ts';
import { ProjectWindowsRepository } from './project-windows.repository.ts';

/** The sync windows of projects, for what Applications hold in clusters. */
@Injectable()
export class ProjectWindows {
  constructor(@Inject(ProjectWindowsRepository) private readonly repository: ProjectWindowsRepository) {}

  /** Those that hold for each target now, by `keyOfTarget`; targets that have none are left out. */
  async of(trx: Trx, targets: readonly TargetIds[]): Promise<Map<string, SyncWindow[]>> {
    const found = await this.repository.windowed(trx, targets);
    const projects = new Map([...found.projects].map(([name, manifest]) => [name, storedProject(manifest)]));
    return new Map(
      found.targets.flatMap((target): [string, SyncWindow[]][] => {
        const windows = windowsOn(projects.get(target.project)!, target.cluster, target.application);
        return windows.length > 0 ? [[keyOfTarget(target), windows]] : [];
      }),
    );
  }
}
