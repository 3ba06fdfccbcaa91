import { Global, Module } from '@nestjs/common';
import { jobHandlers } from '../queue/jobs.ts';
import { CommandsController } from './commands.controller.ts';
import { CommandsRepository } from './commands.repository.ts';
import { CommandsService } from './commands.service.ts';
import { handlers } from './commands.worker.ts';

@Global()
@Module({
  controllers: [CommandsController],
  providers: [CommandsRepository, CommandsService, jobHandlers([CommandsService], handlers)],
  exports: [CommandsService],
})
export class CommandsModule {}
