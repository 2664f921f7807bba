"""The options that the server itself knows; people may add others in Notion (see `SelectField`)."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Api(models.TextChoices):
    NOTION = "NOTION_API"
    HUBSPOT = "HUBSPOT_API"
    TYPEFORM = "TYPEFORM_API"
    AIRTABLE = "AIRTABLE_API"
    AMELIA = "AMELIA_API"
    WOOCOMMERCE = "WOOCOMMERCE_API"
    TUTORLM = "TUTORLM_API"
    STRIPE = "STRIPE_API"
    PLAUD = "PLAUD_API"
    BEEHIIV = "BEEHIIV_API"
    CIRCLE = "CIRCLE_API"
    SNOVIO = "SNOVIO_API"
    USERFEEDBACK = "USERFEEDBACK_API"
    CUSTOM = "CUSTOM_API"


class Priority(models.TextChoices):
    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"
    URGENT = "Urgent"


class CatalogStatus(models.TextChoices):
    """The life of a pattern or a transformation."""

    ACTIVE = "Active"
    DEPRECATED = "Deprecated"
    IN_DEVELOPMENT = "In Development"
    TESTING = "Testing"
    ARCHIVED = "Archived"


# -- agents ---------------------------------------------------------------------------------------------------------


class AgentStatus(models.TextChoices):
    DEPLOYED = "Deployed"
    DEVELOPMENT = "Development"
    INACTIVE = "Inactive"
    DEPRECATED = "Deprecated"


class HealthStatus(models.TextChoices):
    HEALTHY = "Healthy"
    DEGRADED = "Degraded"
    CRITICAL = "Critical"
    MONITORING = "Monitoring"


class Runtime(models.TextChoices):
    DOCKER = "Docker (HigherSelf Network Server)"
    SERVERLESS = "Serverless"


class Capability(models.TextChoices):
    BOOKING_DETECTION = "Booking Detection"
    CLIENT_COMMUNICATION = "Client Communication"
    LEAD_PROCESSING = "Lead Processing"
    CRM_SYNC = "CRM Sync"
    INVENTORY_MANAGEMENT = "Inventory Management"
    TASK_CREATION = "Task Creation"
    WORKFLOW_MANAGEMENT = "Workflow Management"
    NOTIFICATION_DISPATCH = "Notification Dispatch"
    CONTENT_GENERATION = "Content Generation"
    LEARNING_CONTENT_MANAGEMENT = "Learning Content Management"
    TRANSCRIPTION_PROCESSING = "Transcription Processing"
    LEAD_CAPTURE = "Lead Capture"
    BOOKING_MANAGEMENT = "Booking Management"
    TASK_MANAGEMENT = "Task Management"
    MARKETING_CAMPAIGN = "Marketing Campaign"
    COMMUNITY_ENGAGEMENT = "Community Engagement"
    CONTENT_CREATION = "Content Creation"
    CONTENT_DISTRIBUTION = "Content Distribution"
    AUDIENCE_ANALYSIS = "Audience Analysis"
    ERROR_HANDLING = "Error Handling"
    WORKFLOW_ORCHESTRATION = "Workflow Orchestration"
    CUSTOMER_SEGMENTATION = "Customer Segmentation"
    DATA_ANALYSIS = "Data Analysis"


class Protocol(models.TextChoices):
    HTTP = "HTTP"
    MESSAGE_QUEUE = "Message Queue"
    WEBSOCKET = "WebSocket"
    DIRECT_CALL = "Direct Function Call"
    DATABASE_EVENT = "Database Event"
    WEBHOOK = "Webhook"
    CUSTOM = "Custom"


PERMISSIONS = ("Read", "Write", "Execute", "Admin", "System")
PATTERN_TAGS = ("Core", "Business Logic", "Data Sync", "Notification", "Monitoring", "Security")


# -- workflows ------------------------------------------------------------------------------------------------------


class WorkflowStatus(models.TextChoices):
    DRAFT = "Draft"
    IMPLEMENTED = "Implemented"
    ACTIVE = "Active"
    DEPRECATED = "Deprecated"
    UNDER_REVIEW = "Under Review"


class TriggerType(models.TextChoices):
    MANUAL = "Manual"
    FORM_SUBMISSION = "Form Submission"
    API_CALL = "API Call"
    SCHEDULED = "Scheduled"
    EVENT = "Event"
    DATABASE_CHANGE = "Database Change"
    EXTERNAL_SYSTEM = "External System"


WORKFLOW_TAGS = (
    "Client Onboarding",
    "Lead Nurturing",
    "Order Processing",
    "Content Creation",
    "Booking Management",
    "Feedback Collection",
    "Reporting",
    "Administrative",
)


class InstanceStatus(models.TextChoices):
    ACTIVE = "Active"
    COMPLETED = "Completed"
    ERROR = "Error"
    ON_HOLD = "On Hold"
    CANCELLED = "Cancelled"


class SourceSystem(models.TextChoices):
    NOTION = "Notion"
    WEBSITE = "Website"
    WOOCOMMERCE = "WooCommerce"
    AMELIA = "Amelia"
    ACUITY = "Acuity"
    TYPEFORM = "Typeform"
    MANUAL = "Manual"
    OTHER = "Other"
    SNOVIO = "Snov.io"
    USERFEEDBACK = "Userfeedback"
    BEEHIIV = "Beehiiv"
    CIRCLE = "Circle.so"
    TUTORLM = "TutorLM"
    PLAUD = "Plaud"


class ValidationStatus(models.TextChoices):
    VALIDATED = "Validated"
    FAILED = "Validation Failed"
    PENDING = "Pending Validation"


# Notion's SLA formula and ours: an instance is late after so many days.
SLA_DAYS = 7


class ImplementationStatus(models.TextChoices):
    PLANNED = "Planned"
    IN_DEVELOPMENT = "In Development"
    IMPLEMENTED = "Implemented"
    LIVE = "Live"
    DEPRECATED = "Deprecated"
    ON_HOLD = "On Hold"


class UseCasePriority(models.TextChoices):
    CRITICAL = "Critical"
    HIGH = "High"
    MEDIUM = "Medium"
    LOW = "Low"
    NICE_TO_HAVE = "Nice to Have"


class Complexity(models.TextChoices):
    SIMPLE = "Simple"
    MODERATE = "Moderate"
    COMPLEX = "Complex"
    VERY_COMPLEX = "Very Complex"


class Effort(models.TextChoices):
    SMALL = "Small (1-3 days)"
    MEDIUM = "Medium (1-2 weeks)"
    LARGE = "Large (2-4 weeks)"
    X_LARGE = "X-Large (1+ months)"


USE_CASE_TAGS = (
    "Client Experience",
    "Operational Efficiency",
    "Revenue Generation",
    "Cost Reduction",
    "Compliance",
    "Reporting",
    "Integration",
    "Automation",
)


# -- work -----------------------------------------------------------------------------------------------------------


class TaskStatus(models.TextChoices):
    TO_DO = "To Do"
    IN_PROGRESS = "In Progress"
    ON_HOLD = "On Hold"
    DONE = "Done"
    CANCELLED = "Cancelled"


OPEN_TASK = (TaskStatus.TO_DO, TaskStatus.IN_PROGRESS, TaskStatus.ON_HOLD)


class TaskCategory(models.TextChoices):
    FOLLOW_UP = "Follow Up"
    CONTENT_CREATION = "Content Creation"
    ADMIN = "Admin"
    FINANCIAL = "Financial"
    MARKETING = "Marketing"
    CUSTOMER_SERVICE = "Customer Service"
    EVENT_PREPARATION = "Event Preparation"
    TECHNICAL = "Technical"


class TaskSource(models.TextChoices):
    MANUAL = "Manual"
    WORKFLOW = "Workflow"
    AGENT = "Agent"
    SYSTEM = "System"
    INTEGRATION = "Integration"


TASK_TAGS = (
    "Client-facing",
    "Internal",
    "Technical",
    "Creative",
    "Administrative",
    "Financial",
    "Marketing",
    "Urgent",
    "Follow-up",
)


# -- catalog --------------------------------------------------------------------------------------------------------


class IntegrationState(models.TextChoices):
    ACTIVE = "Active"
    DEPRECATED = "Deprecated"
    PLANNED = "Planned"
    UNDER_TEST = "Under Test"


class AuthMethod(models.TextChoices):
    API_KEY = "API Key"
    OAUTH = "OAuth"
    BEARER = "Bearer Token"
    BASIC_AUTH = "Basic Auth"
    CUSTOM = "Custom"


class WebhookAuthMethod(models.TextChoices):
    HMAC_SIGNATURE = "HMAC Signature"
    API_KEY_IN_HEADERS = "API Key in Headers"
    BEARER = "Bearer Token"
    BASIC_AUTH = "Basic Auth"
    # No authentication; the word is Notion's option name.
    NOTHING = "None"


class TestResult(models.TextChoices):
    OK = "OK"
    AUTH_FAILED = "Auth Failed"
    UNREACHABLE = "Unreachable"
    NOT_CONFIGURED = "Not Configured"
    # It answers us, but its webhooks have stopped, by its own pattern.
    SILENT = "Silent"


CATALOG_TAGS = (
    "Core",
    "CRM",
    "E-commerce",
    "Booking",
    "Marketing",
    "Content",
    "Payment",
    "Communication",
    "Analytics",
)

_FORMATS = ("JSON", "XML", "CSV", "HTML", "Plain Text", "Database Record")
SOURCE_FORMATS = (*_FORMATS, "API Response", "Form Data", "Custom")
TARGET_FORMATS = (*_FORMATS, "API Request", "Notion Page", "Custom")

_SYSTEMS = ("Notion", "HubSpot", "Typeform", "Airtable", "WooCommerce", "Amelia", "Circle", "Website")
SOURCE_SYSTEMS = (*_SYSTEMS, "Manual Input", "Custom", "Snov.io", "Userfeedback", "Beehiiv", "TutorLM", "Plaud")
TARGET_SYSTEMS = (*_SYSTEMS, "Email", "Custom", "Beehiiv", "Snov.io", "TutorLM")


# -- messages -------------------------------------------------------------------------------------------------------


class Channel(models.TextChoices):
    EMAIL = "Email"
    SMS = "SMS"
    SLACK = "Slack"
    PUSH_NOTIFICATION = "Push Notification"
    IN_APP = "In-App"
    WHATSAPP = "WhatsApp"
    DISCORD = "Discord"
    CUSTOM = "Custom"


class TriggerEvent(models.TextChoices):
    NEW_LEAD = "New Lead"
    BOOKING_CONFIRMATION = "Booking Confirmation"
    BOOKING_REMINDER = "Booking Reminder"
    ORDER_CONFIRMATION = "Order Confirmation"
    SHIPPING_UPDATE = "Shipping Update"
    PAYMENT_RECEIVED = "Payment Received"
    TASK_ASSIGNMENT = "Task Assignment"
    WORKFLOW_UPDATE = "Workflow Update"
    SURVEY_REQUEST = "Survey Request"
    CUSTOM_EVENT = "Custom Event"
    MEMBER_WELCOME = "Member Welcome"
    CAMPAIGN = "Campaign"
    ESCALATION = "Escalation"


class TemplateStatus(models.TextChoices):
    ACTIVE = "Active"
    INACTIVE = "Inactive"
    DRAFT = "Draft"
    TESTING = "Testing"
    ARCHIVED = "Archived"


PLACEHOLDERS = (
    "service_name",
    "client_name",
    "booking_date",
    "booking_time",
    "business_name",
    "lead_name",
    "lead_email",
    "lead_interest",
    "lead_source",
)
# A template with this tag goes only to people who opted in.
MARKETING_TAG = "Marketing"
TEMPLATE_TAGS = (
    "Transactional",
    MARKETING_TAG,
    "Reminder",
    "Alert",
    "Confirmation",
    "Welcome",
    "Follow-up",
    "Feedback",
)


class NotificationStatus(models.TextChoices):
    QUEUED = "queued"
    SENT = "sent"
    # Written to the server's own log or to a file: nobody has been reached.
    PRINTED = "printed"
    FAILED = "failed"
    SKIPPED = "skipped"


class RunOutcome(models.TextChoices):
    """How an agent's handling of one event ended."""

    DONE = "done"
    IGNORED = "ignored"
    DUPLICATE = "duplicate"
    FAILED = "failed"


class ApprovalStatus(models.TextChoices):
    """Withdrawn: what was asked for has become pointless, because its record has moved on without it."""

    PENDING = "pending", _("pending")
    APPROVED = "approved", _("approved")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")


class AssistStatus(models.TextChoices):
    WAITING = "waiting", _("waiting")
    WORKING = "working", _("working")
    ANSWERED = "answered", _("answered")
    FAILED = "failed", _("failed")
