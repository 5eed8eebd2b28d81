/** Short names for the generated API types. */
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type About = Schemas["About"];
export type ApiKey = Schemas["ApiKeyRead"];
export type Approval = Schemas["ApprovalRead"];
export type Artifact = Schemas["ArtifactRead"];
export type Budget = Schemas["Budget-Output"];
export type ChatAnswer = Schemas["ChatAnswer"];
export type ConnectionReport = Schemas["ConnectionReport"];
export type BuildState = Schemas["BuildState"];
export type BrowserSession = Schemas["SessionRead"];
export type Cost = Schemas["Cost"];
export type EntryPoint = Schemas["EntryPoint"];
export type ImportedCrew = Schemas["ImportedCrew"];
export type ImportFinding = Schemas["ImportFinding"];
export type ImportPreview = Schemas["ImportPreview"];
export type Invitation = Schemas["InvitationRead"];
export type InputDefinition = Schemas["InputDefinition"];
export type Me = Schemas["Me"];
export type Message = Schemas["MessageRead"];
export type Model = Schemas["ModelRead"];
export type Person = Schemas["PersonRead"];
export type Project = Schemas["ProjectRead"];
export type ProjectFile = Schemas["ProjectFile"];
export type ProjectFileChange = Schemas["FileChange"];
export type ProjectInspection = Schemas["ProjectInspection"];
export type ProjectSummary = Schemas["ProjectEntry"];
export type ProjectUpdate = Partial<Schemas["ProjectUpdate"]>;
export type ProjectUpload = Schemas["ProjectUploaded"];
export type ProjectVersionSummary = Schemas["VersionEntry"];
export type Provider = Schemas["ProviderRead"];
export type ProviderType = Schemas["ProviderType"];
export type Readiness = Schemas["Readiness"];
export type Run = Schemas["RunRead"];
export type RunDiff = Schemas["RunDiff"];
export type RunFailure = Schemas["RunFailure"];
export type RunPreflight = Schemas["RunPreflight"];
export type RunState = Schemas["RunState"];
export type RunSummary = Schemas["RunSummary"];
export type RunTask = Schemas["RunTaskRead"];
export type StopReceipt = Schemas["StopReceipt"];
export type TaskState = Schemas["TaskState"];
export type Template = Schemas["TemplateRead"];
export type Usage = Schemas["Usage"];
export type VersionBuild = Schemas["VersionBuild"];
export type VersionDiff = Schemas["VersionDiff"];
export type VersionSummary = Schemas["VersionSummary"];
export type Workflow = Schemas["WorkflowRead"];
export type WorkflowDefinition = Schemas["WorkflowDefinition"];
export type WorkflowSummary = Schemas["WorkflowSummary"];
export type YamlProblem = Schemas["Problem"];

/** Every event of a run, discriminated by `type`. */
export type RunEvent = Schemas["EventPage"]["events"][number];
export type RunListQuery = NonNullable<paths["/api/v1/runs"]["get"]["parameters"]["query"]>;
export type WorkspaceRole = Schemas["WorkspaceRole"];
