import { Module } from '@nestjs/common';
import { DependencyCycles } from './dependency-cycles.service.ts';
import { DependencyGraph } from './dependency-graph.repository.ts';

/** For those who write Applications; it knows nobody but the database. */
@Module({ providers: [DependencyCycles, DependencyGraph], exports: [DependencyCycles] })
export class DependencyCyclesModule {}
