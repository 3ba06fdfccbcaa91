import { Module } from '@nestjs/common';
import { AcceptedRules } from './accepted-rules.service.ts';
import { DriftRepository } from './drift.repository.ts';

/** What was accepted, for those who make assignments. */
@Module({ providers: [DriftRepository, AcceptedRules], exports: [DriftRepository, AcceptedRules] })
export class AcceptedRulesModule {}
