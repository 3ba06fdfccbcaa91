import { Module } from '@nestjs/common';
import { SetManifests } from '../../applicationsets/set-manifests.ts';
import { PoliciesRepository } from '../policies.repository.ts';
import { DependencyCycles } from './dependency-cycles.service.ts';
import { DependencyGraph } from './dependency-graph.repository.ts';

/** For those who write Applications and policies; it knows nobody but the database. */
@Module({
  providers: [DependencyCycles, DependencyGraph, PoliciesRepository, SetManifests],
  exports: [DependencyCycles],
})
export class DependencyCyclesModule {}
