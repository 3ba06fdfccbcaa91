import { Module } from '@nestjs/common';
import { ProjectWindowsRepository } from './project-windows.repository.ts';
import { ProjectWindows } from './project-windows.service.ts';
import { ProjectsController } from './projects.controller.ts';
import { ProjectsRepository } from './projects.repository.ts';
import { ProjectsService } from './projects.service.ts';

/** AppProjects: what Applications may deploy. */
@Module({
  controllers: [ProjectsController],
  providers: [ProjectsRepository, ProjectsService, ProjectWindows, ProjectWindowsRepository],
  exports: [ProjectsService, ProjectWindows],
})
export class ProjectsModule {}
