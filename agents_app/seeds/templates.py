"""The Notifications Templates: what the workflows send."""

from __future__ import annotations

from typing import Any

from agents_app.services.messages import placeholders


def _email(
    template_id: str, name: str, trigger: str, tags: list[str], subject: str, content: str, status: str = "Active"
) -> dict[str, Any]:
    return {
        "template_id": template_id,
        "template_name": name,
        "channel": "Email",
        "trigger_event": trigger,
        "status": status,
        "tags": tags,
        "subject_template": subject,
        "content_template": content,
        "supported_placeholders": placeholders(subject + content),
    }


TEMPLATES: list[dict[str, Any]] = [
    _email(
        "new_lead",
        "New Lead",
        "New Lead",
        ["Alert"],
        "New lead: {{lead_name}}",
        "{{lead_name}} <{{lead_email}}> wrote from {{lead_source}}.\n\n"
        "Quality: {{lead_quality}}\nInterested in: {{lead_interest}}\nPhone: {{lead_phone}}\n\n"
        "Message:\n{{lead_message}}\n\nWorkflow instance: {{instance_id}}\n",
    ),
    _email(
        "lead_acknowledgement",
        "Lead Acknowledgement",
        "New Lead",
        ["Transactional", "Confirmation"],
        "Thank you for writing to {{business_name}}",
        "Hello {{lead_name}},\n\nthank you for your message. It has reached us and somebody will answer you soon.\n\n"
        "{{business_name}}\n",
    ),
    _email(
        "task_assignment",
        "Task Assignment",
        "Task Assignment",
        ["Alert"],
        "A task for you: {{instance_name}}",
        "There is something to do for {{client_name}}: {{instance_name}} ({{instance_id}}).\n",
    ),
    _email(
        "booking_confirmation",
        "Booking Confirmation",
        "Booking Confirmation",
        ["Transactional", "Confirmation"],
        "Your booking of {{service_name}} is confirmed",
        "Hello {{client_name}},\n\nyour booking of {{service_name}} on {{booking_date}} at {{booking_time}} is "
        "confirmed.\n\n{{business_name}}\n",
    ),
    _email(
        "booking_reminder",
        "Booking Reminder",
        "Booking Reminder",
        ["Transactional", "Reminder"],
        "Soon: {{service_name}}",
        "Hello {{client_name}},\n\n{{service_name}} begins on {{booking_date}} at {{booking_time}}. We look forward "
        "to you.\n\n{{business_name}}\n",
    ),
    _email(
        "booking_cancelled",
        "Booking Cancelled",
        "Custom Event",
        ["Alert"],
        "Cancelled: {{instance_name}}",
        "The booking of {{client_name}} was cancelled ({{instance_id}}).\n",
    ),
    _email(
        "payment_received",
        "Payment Received",
        "Payment Received",
        ["Transactional", "Confirmation"],
        "We have received your payment",
        "Hello {{client_name}},\n\nthank you, your payment has arrived.\n\n{{business_name}}\n",
    ),
    _email(
        "order_confirmation",
        "Order Confirmation",
        "Order Confirmation",
        ["Transactional", "Confirmation"],
        "Your order {{order_number}}",
        "Hello {{client_name}},\n\nthank you for your order {{order_number}}.\n\n{{business_name}}\n",
    ),
    _email(
        "order_cancelled",
        "Order Cancelled",
        "Custom Event",
        ["Alert"],
        "Cancelled: {{instance_name}}",
        "The order of {{client_name}} was cancelled ({{instance_id}}).\n",
    ),
    _email(
        "sale_alert",
        "Sale Alert",
        "Order Confirmation",
        ["Alert"],
        "New order {{order_number}}",
        "{{client_name}} has ordered: {{instance_name}} ({{instance_id}}).\n",
    ),
    _email(
        "shipping_update",
        "Shipping Update",
        "Shipping Update",
        ["Transactional"],
        "Your order {{order_number}} is on its way",
        "Hello {{client_name}},\n\nyour order {{order_number}} has been sent. Tracking: {{tracking}}\n\n"
        "{{business_name}}\n",
    ),
    _email(
        "survey_request",
        "Survey Request",
        "Survey Request",
        ["Follow-up", "Feedback"],
        "How was it?",
        "Hello {{client_name}},\n\nwe would like to hear how it was for you. Just answer this message.\n\n"
        "{{business_name}}\n",
    ),
    _email(
        "member_welcome",
        "Member Welcome",
        "Member Welcome",
        ["Welcome", "Transactional"],
        "Welcome, {{client_name}}",
        "Hello {{client_name}},\n\nwelcome to the community of {{business_name}}.\n",
    ),
    _email(
        "feedback_alert",
        "Feedback Alert",
        "Custom Event",
        ["Alert", "Feedback"],
        "Feedback that needs an answer: {{feedback_title}}",
        "{{client_name}} ({{feedback_rating}}):\n\n{{feedback_content}}\n\n{{feedback_id}}\n",
    ),
    _email(
        "record_alert",
        "Record Alert",
        "Custom Event",
        ["Alert"],
        "{{alert_title}}",
        "{{alert_text}}\n",
    ),
    _email(
        "workflow_on_hold",
        "Workflow on Hold",
        "Workflow Update",
        ["Alert"],
        "On hold: {{instance_name}}",
        "{{instance_name}} ({{instance_id}}) was put on hold by {{on_hold_by}} in “{{state}}”.\n\n{{reason}}\n",
    ),
    _email(
        "task_digest",
        "Tasks Due Today",
        "Task Assignment",
        ["Reminder"],
        "{{task_count}} tasks are due or late",
        "{{task_list}}\n\n{{business_name}}\n",
    ),
    _email(
        "task_overdue",
        "Task Overdue",
        "Task Assignment",
        ["Reminder", "Alert"],
        "Late: {{task_name}}",
        "{{task_name}} ({{task_id}}) was due {{task_due}}. Assignee: {{assignee}}. Its priority is {{task_priority}} "
        "now.\n\n{{instance_name}}\n",
    ),
    _email(
        "task_escalation",
        "Task Escalation",
        "Escalation",
        ["Alert"],
        "Three days late: {{task_name}}",
        "{{task_name}} ({{task_id}}) was due {{task_due}} and is still open. Assignee: {{assignee}}.\n\n"
        "{{instance_name}}\n",
    ),
    _email(
        "approval_requested",
        "Approval Requested",
        "Workflow Update",
        ["Alert"],
        "Waits for your approval: {{approval_action}}",
        "{{requested_by}} asks for: {{approval_action}}.\n\nAbout: {{approval_subject}}\nWhy: {{approval_reason}}\n\n"
        "Decide in the console under Approvals ({{approval_id}}). Nobody decides about what they asked for "
        "themselves.\n",
    ),
    _email(
        "task_ready",
        "Task Ready",
        "Task Assignment",
        ["Alert"],
        "You can begin: {{task_name}}",
        "What {{task_name}} ({{task_id}}) waited for is done. It is due {{task_due}}. Assignee: {{assignee}}.\n\n"
        "{{instance_name}}\n",
    ),
    _email(
        "task_escalation_slack",
        "Task Escalation (Slack)",
        "Escalation",
        ["Alert"],
        "Three days late: {{task_name}}",
        "{{task_name}} ({{task_id}}) was due {{task_due}} and is still open. Assignee: {{assignee}}. {{instance_name}}",
    )
    | {"channel": "Slack"},
]
