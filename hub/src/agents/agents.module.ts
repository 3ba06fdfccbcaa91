import { Module } from '@nestjs/common';
import { AssignmentsModule } from '../assignments/assignments.module.ts';
import { UnclaimedModule } from '../recovery/unclaimed.module.ts';
import { ReleasesModule } from '../releases/releases.module.ts';
import { BundleDownloads } from './bundle-downloads.ts';
import { Gateway } from './gateway.ts';
import { LastSeen } from './last-seen.ts';
import { SessionOpenings } from './session-opening.ts';
import { Sessions } from './sessions.ts';
import { SessionWorkFactory } from './session-work.ts';

/** The gRPC gateway that agents talk to. */
@Module({
  imports: [AssignmentsModule, ReleasesModule, UnclaimedModule],
  providers: [BundleDownloads, LastSeen, SessionOpenings, SessionWorkFactory, Sessions, Gateway],
  exports: [Sessions],
})
export class AgentsModule {}
