"""The models of campaigns, imported from its packages."""

from campaigns.birthday.models import BirthdayGift
from campaigns.messaging.models import Campaign, Delivery, DeliveryAttempt
from campaigns.referral.models import Referral, ReferralCode

__all__ = ["BirthdayGift", "Campaign", "Delivery", "DeliveryAttempt", "Referral", "ReferralCode"]
