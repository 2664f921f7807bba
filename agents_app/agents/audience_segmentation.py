"""Segments over contacts and members, carried to campaigns and platforms."""

from __future__ import annotations

from agents_app.agents.base import NotYet


class AudienceSegmentationAgent(NotYet):
    name = "Audience Segmentation Agent"
    description = "Segments over contacts and members, carried to campaigns and platforms."
    capabilities = (
        "Audience Analysis",
        "CRM Sync",
        "Customer Segmentation",
        "Data Analysis",
    )
    apis = (
        "NOTION_API",
        "WOOCOMMERCE_API",
        "AMELIA_API",
        "TUTORLM_API",
        "BEEHIIV_API",
    )
    planned = (
        "audience.analysis_due",
        "segment.changed",
    )
