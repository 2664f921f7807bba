"""The sixteen databases, in the order in which they are created: what is pointed at comes first."""

from __future__ import annotations

from django.db import models

from notion_sync.mapping import NotionMapping
from notion_sync.mappings.active_workflow_instances import ActiveWorkflowInstances
from notion_sync.mappings.agent_communication import AgentCommunication
from notion_sync.mappings.agent_registry import AgentRegistry
from notion_sync.mappings.api_integrations import ApiIntegrations
from notion_sync.mappings.business_entities import BusinessEntities
from notion_sync.mappings.community_hub import CommunityHub
from notion_sync.mappings.contacts_profiles import ContactsProfiles
from notion_sync.mappings.data_transformations import DataTransformations
from notion_sync.mappings.feedback_surveys import FeedbackSurveys
from notion_sync.mappings.marketing_campaigns import MarketingCampaigns
from notion_sync.mappings.master_tasks import MasterTasks
from notion_sync.mappings.notifications_templates import NotificationsTemplates
from notion_sync.mappings.products_services import ProductsServices
from notion_sync.mappings.rewards_bounties import RewardsBounties
from notion_sync.mappings.use_cases import UseCases
from notion_sync.mappings.workflows_library import WorkflowsLibrary

MAPPINGS: dict[str, type[NotionMapping]] = {
    mapping.key: mapping
    for mapping in (
        BusinessEntities,
        AgentRegistry,
        ApiIntegrations,
        WorkflowsLibrary,
        ContactsProfiles,
        ProductsServices,
        DataTransformations,
        AgentCommunication,
        UseCases,
        NotificationsTemplates,
        ActiveWorkflowInstances,
        MasterTasks,
        CommunityHub,
        MarketingCampaigns,
        FeedbackSurveys,
        RewardsBounties,
    )
}
_BY_MODEL: dict[type[models.Model], type[NotionMapping]] = {mapping.model: mapping for mapping in MAPPINGS.values()}


def mapping_for(model: type[models.Model]) -> type[NotionMapping] | None:
    """The mapping of a mirrored model; None for every other one."""
    return _BY_MODEL.get(model)
