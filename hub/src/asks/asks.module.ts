import { Global, Module } from '@nestjs/common';
import { jobHandlers } from '../queue/jobs.ts';
import { AsksRepository } from './asks.repository.ts';
import { AsksService } from './asks.service.ts';
import { handlers } from './asks.worker.ts';

/** Questions to clusters that are answered while somebody waits. */
@Global()
@Module({
  providers: [AsksRepository, AsksService, jobHandlers([AsksService], handlers)],
  exports: [AsksService],
})
export class AsksModule {}
