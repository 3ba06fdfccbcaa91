import { Module } from '@nestjs/common';
import { AssignmentsModule } from '../assignments/assignments.module.ts';
import { UnclaimedModule } from '../recovery/unclaimed.module.ts';
import { ReleasesModule } from '../releases/releases.module.ts';
import { AnswerCalls } from './answer-calls.ts';
import { AssignmentAnswers } from './assignment-answers.ts';
import { AssignmentDeliveries } from './assignment-deliveries.ts';
import { BundleDownloads } from './bundle-downloads.ts';
import { DownloadPermits } from './download-permits.ts';
import { EnrolmentCalls } from './enrolment-calls.ts';
import { Gateway } from './gateway.ts';
import { Hearing } from './hearing.ts';
import { LastSeen } from './last-seen.ts';
import { SessionAdmission } from './session-admission.ts';
import { SessionCalls } from './session-calls.ts';
import { SessionFeed } from './session-feed.ts';
import { SessionOpenings } from './session-opening.ts';
import { SessionReview } from './session-review.ts';
import { SessionWorkFactory } from './session-work.ts';
import { Sessions } from './sessions.ts';

/** The gRPC gateway that agents talk to. */
@Module({
  imports: [AssignmentsModule, ReleasesModule, UnclaimedModule],
  providers: [
    AnswerCalls,
    AssignmentAnswers,
    AssignmentDeliveries,
    BundleDownloads,
    DownloadPermits,
    EnrolmentCalls,
    Gateway,
    Hearing,
    LastSeen,
    SessionAdmission,
    SessionCalls,
    SessionFeed,
    SessionOpenings,
    SessionReview,
    Sessions,
    SessionWorkFactory,
  ],
  exports: [Sessions],
})
export class AgentsModule {}
