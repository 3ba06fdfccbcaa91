import { FleetSummary } from '@muster/api';
import { Controller, Get, Inject } from '@nestjs/common';
import { Allow } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { StatusService } from './status.service.ts';

/** The fleet in numbers: counts only, so whoever may view anything may see them. */
@Controller('api/v1/summary')
export class StatusController {
  constructor(@Inject(StatusService) private readonly status: StatusService) {}

  @Get()
  @Allow('viewer', { project: 'any' })
  @Answers(FleetSummary)
  get(): Promise<FleetSummary> {
    return this.status.summary();
  }
}
