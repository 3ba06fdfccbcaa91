import { Global, Inject, Module, type OnModuleInit } from '@nestjs/common';
import { APP_FILTER, APP_PIPE, DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { CONFIG, type Config } from '../config.ts';
import { DATABASE, type Db } from '../store/database.ts';
import { Notifications } from '../store/notifications.ts';
import { ApiController } from './api.controller.ts';
import { EventsController } from './events.controller.ts';
import { Events } from './events.ts';
import { ProblemFilter } from './problem.ts';
import { Listening, Readiness } from './readiness.ts';
import { requireRules, routesOf } from './routes.ts';
import { ValidationPipe } from './validation.ts';

/** What other modules use of the API: events, readiness, addresses. */
@Global()
@Module({
  providers: [
    {
      provide: Events,
      inject: [Notifications, DATABASE, CONFIG],
      useFactory: (notifications: Notifications, db: Db, config: Config) =>
        new Events(notifications, db, `${config.replicaId.replaceAll('-', '')}${Date.now().toString(36)}`),
    },
    Readiness,
    Listening,
  ],
  exports: [Events, Readiness, Listening],
})
export class ApiModule {}

/** What only a hub with an HTTP server has. */
@Module({
  imports: [DiscoveryModule],
  controllers: [ApiController, EventsController],
  providers: [
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_PIPE, useClass: ValidationPipe },
  ],
})
export class HttpModule implements OnModuleInit {
  constructor(@Inject(DiscoveryService) private readonly discovery: DiscoveryService) {}

  onModuleInit(): void {
    requireRules(routesOf(this.discovery));
  }
}
